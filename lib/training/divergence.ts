/** Where numbers stopped being finite: asked once a training has failed at it, so that it may take its time. */
import { tf, valueAndGradients, type Scalar, type Tensor } from '../engine';
import { Module } from '../nn';
import { gradientNorm } from './gradients';
import type { MeasuredLoss } from './update';

const isFinite = (tensor: Tensor): boolean =>
  tensor.dtype !== 'float32' || tf.tidy(() => tf.all(tf.isFinite(tensor)).dataSync()[0] === 1);

const listed = (names: readonly string[]): string =>
  `${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`;

/** Names of the parameters that hold NaN or Infinity; one pass over the weights and one number read back where there are none. */
export function parametersNotFinite(model: Module): string[] {
  const named = [...model.namedParameters()], norm = gradientNorm(named.map(([, { tensor }]) => tensor));
  try {
    // The norm may be too large for a float32 with all weights finite.
    return Number.isFinite(norm.dataSync()[0]) ? [] : named.flatMap(([name, { tensor }]) => (isFinite(tensor) ? [] : name));
  } finally { norm.dispose(); }
}

/**
 * Says what is the first not to be finite: weights, the batch, a layer's output, or gradients of which parameters. Computes the batch anew,
 * with other dropout.
 */
export function describeDivergence(model: Module, batch: object, loss: () => Scalar | MeasuredLoss): string {
  const weights = parametersNotFinite(model);
  if (weights.length > 0) return `Not finite since an update before: the weights ${listed(weights)}, by gradients or too large a step.`;
  const given = Object.entries(batch).filter(([, value]) => value instanceof tf.Tensor && !isFinite(value)).map(([name]) => name);
  if (given.length > 0) return `Not finite in the batch itself: ${listed(given)}. Mend the data.`;
  const scalar = (): Scalar => {
    const result = loss();
    return 'measures' in result ? result.loss : result;
  };
  const layer = firstLayerNotFinite(model, () => tf.tidy(() => { scalar(); }));
  if (layer) return `The first not to be finite is the output of ${layer}.`;
  const parameters = model.trainableParameters();
  const names = new Map([...model.namedParameters()].map(([name, parameter]) => [parameter, name]));
  const { value, gradients } = valueAndGradients(scalar, parameters.map(({ tensor }) => tensor));
  const wrong = parameters.flatMap((parameter, i) => {
    const gradient = gradients[i];
    return gradient && !isFinite(gradient) ? names.get(parameter)! : [];
  });
  tf.dispose([value, ...gradients.filter((gradient): gradient is Tensor => gradient !== null)]);
  if (wrong.length > 0) return `All layers' outputs are finite, the gradients of ${listed(wrong)} are not.`;
  return 'All layers\' outputs and all gradients of this batch are finite when computed once more.';
}

/** Watches all methods of all layers while `run` computes: the first result to hold NaN or Infinity, as "h.3.mlp (MLP, forward)". */
function firstLayerNotFinite(model: Module, run: () => void): string | undefined {
  let first: string | undefined;
  const watched: [Module, string][] = [];
  for (const [name, module] of namedModules(model)) {
    for (const method of methodsOf(module)) {
      const original = (module as unknown as Record<string, (...args: unknown[]) => unknown>)[method];
      watched.push([module, method]);
      Object.defineProperty(module, method, {
        configurable: true, enumerable: false,
        value: function watch(this: Module, ...args: unknown[]): unknown {
          const result = original.apply(this, args), before = first;
          if (before !== undefined || tensorsOf(result).every(isFinite)) return result;
          first = `${name || 'the model'} (${module.constructor.name}, ${method})`;
          return result;
        },
      });
    }
  }
  try { run(); } finally {
    for (const [module, method] of watched) delete (module as unknown as Record<string, unknown>)[method];
  }
  return first;
}

function* namedModules(module: Module, name = ''): Generator<[string, Module]> {
  for (const [child, value] of module.namedChildren()) yield* namedModules(value, name ? `${name}.${child}` : child);
  yield [name, module];
}

/** Names of the methods that a layer has beside those of all modules. */
function methodsOf(module: Module): string[] {
  const names = new Set<string>();
  for (let type = Object.getPrototypeOf(module) as object; type !== Module.prototype; type = Object.getPrototypeOf(type) as object) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(type))) {
      if (typeof value === 'function' && name !== 'constructor') names.add(name);
    }
  }
  return [...names];
}

function tensorsOf(value: unknown): Tensor[] {
  if (value instanceof tf.Tensor) return [value];
  if (!value || typeof value !== 'object' || !(Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype)) return [];
  return Object.values(value).flatMap(tensorsOf).filter((tensor) => !tensor.isDisposed);
}

/** What a model does again and again while it generates, as graphs. */
import { currentPrecision, GraphFunction, type Tensor } from '../engine';
import type { Module } from '../nn';

type GraphedModel = Pick<Module, 'namedParameters' | 'training'>;

const known = new WeakMap<GraphedModel, Map<string, GraphFunction<object>>>();

/**
 * `run` of this model as a graph, made once and kept as long as the model is: that `run` holds the model does not keep it.
 *
 * @param name of what `run` does, which is the same for all calls with this name
 * @param patience runs with the same shapes before there is a graph, whose making takes as long as two or three without it
 */
export function modelGraph<Model extends GraphedModel, Inputs extends object>(
  model: Model, name: string, run: (model: Model, inputs: Inputs) => Tensor[], patience = 3,
): GraphFunction<Inputs> {
  const ofModel = known.get(model) ?? new Map<string, GraphFunction<object>>();
  known.set(model, ofModel);
  const key = `${name} ${currentPrecision()} ${model.training}`, found = ofModel.get(key) as GraphFunction<Inputs> | undefined;
  if (found) return found;
  const parameters = [...model.namedParameters()].map(([, parameter]) => parameter);
  const made = new GraphFunction<Inputs>((inputs) => run(model, inputs), () => parameters.map(({ tensor }) => tensor), patience);
  ofModel.set(key, made as GraphFunction<object>);
  return made;
}

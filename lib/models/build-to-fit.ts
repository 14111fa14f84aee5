import { construct } from '../nn';
import { elementCount, type WeightSource } from '../weights';

/**
 * A network as `make` builds it from the sizes that `config` says, no larger than its weights can mean.
 *
 * @param config the file of the sizes, for messages
 * @throws Error naming it; nothing stays in memory then
 */
export function buildToFit<M>({ tensors }: WeightSource, config: string, make: () => M): M {
  const values = [...tensors.values()].reduce((sum, { shape }) => sum + (elementCount(shape) ?? 0), 0);
  try { return construct({ values, tensors: tensors.size }, make); } catch (error) {
    throw new Error(`${config}: ${(error as Error).message.replace(/\.$/, '')}.`, { cause: error });
  }
}

import { z } from 'zod';
import { activationNames } from '../../nn';
import { architecture } from '../architecture';
import { BertForMaskedLM, BertForSequenceClassification, bertDefaults as d, bertLoadOptions, BertModel, type BertConfig } from '../bert';
import { count, labelCount, labelNames, labels, probability } from '../config-json';

/** transformers' BertConfig. */
export const bertConfigSchema = z.object({
  vocabSize: count.default(d.vocabSize), hiddenSize: count.default(d.hiddenSize), numHiddenLayers: count.default(d.numHiddenLayers),
  numAttentionHeads: count.default(d.numAttentionHeads), intermediateSize: count.default(d.intermediateSize), hiddenAct: z.enum(activationNames).default(d.hiddenAct),
  maxPositionEmbeddings: count.default(d.maxPositionEmbeddings), typeVocabSize: count.default(d.typeVocabSize), layerNormEps: z.number().positive().default(d.layerNormEps),
  padTokenId: z.number().int().nonnegative().default(d.padTokenId), hiddenDropoutProb: probability.default(d.hiddenDropoutProb),
  attentionProbsDropoutProb: probability.default(d.attentionProbsDropoutProb), classifierDropout: probability.nullable().default(d.classifierDropout),
  positionEmbeddingType: z.literal('absolute', 'only absolute positions are supported').default('absolute'),
  isDecoder: z.literal(false, 'only the encoder is supported').default(false),
});
const withLabels = bertConfigSchema.extend(labels);

export const bertArchitectures = [
  architecture<BertForMaskedLM, BertConfig>({
    // The first published files say BertForPreTraining and also hold the next-sentence head.
    names: ['BertForMaskedLM', 'BertForPreTraining'], modelType: 'bert', model: BertForMaskedLM, schema: bertConfigSchema, build: (config, random) => new BertForMaskedLM(config, random),
    load: { ...bertLoadOptions, ignore: /embeddings\.position_ids$|^(bert\.)?pooler\.|^cls\.seq_relationship\./ }, config: ({ config }) => config,
  }),
  architecture<BertForSequenceClassification, z.infer<typeof withLabels>>({
    names: ['BertForSequenceClassification'], modelType: 'bert', model: BertForSequenceClassification, schema: withLabels,
    build: (config, random) => new BertForSequenceClassification(bertConfigSchema.parse(config), labelCount(config), random),
    load: { ...bertLoadOptions, ignore: /embeddings\.position_ids$|^cls\./ }, config: ({ config, numLabels }) => ({ ...config, id2label: labelNames(numLabels) }),
  }),
  architecture<BertModel, BertConfig>({
    names: ['BertModel'], modelType: 'bert', model: BertModel, schema: bertConfigSchema, load: { ...bertLoadOptions, ignore: /embeddings\.position_ids$|^(cls|classifier)\./ },
    build: (config, random, stored) => new BertModel(config, random, { pooler: stored.has('pooler.dense.weight') || stored.has('bert.pooler.dense.weight') }),
    config: ({ config }) => config,
  }),
];

/** What transformers 4 wrote into every nested config.json of the hub, whatever the model: none of it describes a network. */
export const idleKeys = {
  _name_or_path: '', add_cross_attention: false, architectures: null, bad_words_ids: null, begin_suppress_tokens: null, chunk_size_feed_forward: 0,
  cross_attention_hidden_size: null, decoder_start_token_id: null, diversity_penalty: 0, do_sample: false, dropout: 0, early_stopping: false,
  encoder_no_repeat_ngram_size: 0, exponential_decay_length_penalty: null, finetuning_task: null, forced_bos_token_id: null, forced_eos_token_id: null,
  id2label: { 0: 'LABEL_0', 1: 'LABEL_1' }, initializer_factor: 1, initializer_range: 0.02, is_encoder_decoder: false,
  label2id: { LABEL_0: 0, LABEL_1: 1 }, length_penalty: 1, max_length: 20, min_length: 0, no_repeat_ngram_size: 0, num_beam_groups: 1, num_beams: 1,
  num_return_sequences: 1, output_attentions: false, output_hidden_states: false, output_scores: false, prefix: null, problem_type: null,
  projection_dim: 512, pruned_heads: {}, remove_invalid_values: false, repetition_penalty: 1, return_dict: true, return_dict_in_generate: false,
  suppress_tokens: null, task_specific_params: null, temperature: 1, tf_legacy_loss: false, tie_encoder_decoder: false, tie_word_embeddings: true,
  tokenizer_class: null, top_k: 50, top_p: 1, torch_dtype: null, torchscript: false, transformers_version: '4.26.0.dev0', typical_p: 1, use_bfloat16: false,
};

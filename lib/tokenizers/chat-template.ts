/** Chat templates as transformers renders them, by `@huggingface/jinja`, whose `capitalize` is mended from outside. */
export interface ChatMessage {
  readonly role: string;
  /** A text, or parts: `{ type: 'text', text }`, `{ type: 'image' }`. */
  readonly content: string | readonly { readonly type: string; readonly text?: string }[];
}

/** What a template may name; `special` holds bos_token, eos_token and so on. */
export interface ChatContext {
  readonly messages: readonly ChatMessage[];
  readonly addGenerationPrompt: boolean;
  readonly special: Readonly<Record<string, string>>;
}

interface TemplateNode { type?: string; operand?: TemplateNode; filter?: TemplateNode; value?: unknown }

// The package's types are those of an ECMAScript module, which a CommonJS file may not import by name.
const { Template } = require('@huggingface/jinja') as {
  Template: new (source: string) => { readonly parsed: TemplateNode; render(context: Record<string, unknown>): string };
};

/** @throws Error naming `file` where the template is wrong or refuses the messages. */
export function renderChatTemplate(
  source: string,
  { messages, addGenerationPrompt, special }: ChatContext,
  file: string,
): string {
  try {
    const template = new Template(source);
    lowerBeforeCapitalize(template.parsed);
    return template.render({ ...special, messages, add_generation_prompt: addGenerationPrompt });
  } catch (error) {
    throw new Error(`${file}: the chat template cannot be rendered (${error instanceof Error ? error.message : String(error)}).`, { cause: error });
  }
}

/** Jinja's `capitalize` makes the letters after the first small; the library's leaves them as they are. */
function lowerBeforeCapitalize(node: TemplateNode): void {
  if (node.type === 'FilterExpression' && node.operand && node.filter?.value === 'capitalize') {
    node.operand = { type: 'FilterExpression', operand: node.operand, filter: { type: 'Identifier', value: 'lower' } };
  }
  for (const child of Object.values(node)) {
    for (const inner of Array.isArray(child) ? child as unknown[] : [child]) {
      if (typeof inner === 'object' && inner !== null) lowerBeforeCapitalize(inner);
    }
  }
}

// A language model of some hundred kilobytes that speaks real words without sense: the format
// GGUF 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), one layer of the Llama
// architecture, weights from a fixed seed. It exists to be served, not to be read.
//   node tiny_gguf.mjs FILE
import { writeFileSync } from 'node:fs';

const width = 64;
const heads = 4;
const inner = 128;
const context = 4096;
const alignment = 32;

const words = `a about after again all always and answer any are as at be because before best both but by
can come could day do down each even every find first for from get give go good great had has have he help her here
his how if in into is it its just keep know last let like little long look made make many may me more most much
must my never new no not now of off old on one only or other our out over own part people place right said same see
she should small so some still such take than that the their them then there these they thing think this time to
too two under up us use very want was way we well went were what when where which while who why will with word work
would year you your`.split(/\s+/);

const kinds = { u32: 4, i32: 5, f32: 6, text: 8, list: 9 };
const normal = 1;
const unknown = 2;
const control = 3;
const byte = 6;

/** What SentencePiece calls the vocabulary: special pieces, bytes, words with their blank. */
function vocabulary() {
  const pieces = [
    ['<unk>', unknown],
    ['<s>', control],
    ['</s>', control],
  ];
  for (let value = 0; value < 256; ++value)
    pieces.push([`<0x${value.toString(16).toUpperCase().padStart(2, '0')}>`, byte]);
  for (const word of words) pieces.push([`\u2581${word}`, normal]);
  return pieces;
}

/** A sequence of numbers that is the same on every machine. */
function* noise() {
  let state = 20241123n;
  for (;;) {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    yield Number(state >> 40n) / 2 ** 24 - 0.5;
  }
}

class Writer {
  #parts = [];
  #size = 0;

  get size() {
    return this.#size;
  }
  bytes(part) {
    this.#parts.push(part);
    this.#size += part.length;
    return this;
  }
  u32(value) {
    const part = Buffer.alloc(4);
    part.writeUInt32LE(value);
    return this.bytes(part);
  }
  f32(value) {
    const part = Buffer.alloc(4);
    part.writeFloatLE(value);
    return this.bytes(part);
  }
  u64(value) {
    const part = Buffer.alloc(8);
    part.writeBigUInt64LE(BigInt(value));
    return this.bytes(part);
  }
  text(value) {
    const part = Buffer.from(value);
    return this.u64(part.length).bytes(part);
  }
  value(kind, value) {
    if (kind === kinds.text) return this.text(value);
    return kind === kinds.f32 ? this.f32(value) : this.u32(value);
  }
  pad() {
    return this.bytes(Buffer.alloc((alignment - (this.#size % alignment)) % alignment));
  }
  done() {
    return Buffer.concat(this.#parts);
  }
}

function model() {
  const pieces = vocabulary();
  const random = noise();
  const matrix = (rows, columns, scale) =>
    Float32Array.from({ length: rows * columns }, () => random.next().value * scale);
  // Bytes have rows of zeros at the output: words come first.
  const output = matrix(pieces.length, width, 2);
  output.fill(0, 0, width * (pieces.length - words.length));
  const ones = new Float32Array(width).fill(1);
  const tensors = [
    ['token_embd.weight', [width, pieces.length], matrix(pieces.length, width, 1)],
    ['blk.0.attn_norm.weight', [width], ones],
    ['blk.0.attn_q.weight', [width, width], matrix(width, width, 0.5)],
    ['blk.0.attn_k.weight', [width, width], matrix(width, width, 0.5)],
    ['blk.0.attn_v.weight', [width, width], matrix(width, width, 0.5)],
    ['blk.0.attn_output.weight', [width, width], matrix(width, width, 0.5)],
    ['blk.0.ffn_norm.weight', [width], ones],
    ['blk.0.ffn_gate.weight', [width, inner], matrix(inner, width, 0.5)],
    ['blk.0.ffn_up.weight', [width, inner], matrix(inner, width, 0.5)],
    ['blk.0.ffn_down.weight', [inner, width], matrix(width, inner, 0.5)],
    ['output_norm.weight', [width], ones],
    ['output.weight', [width, pieces.length], output],
  ];
  const facts = [
    ['general.architecture', kinds.text, 'llama'],
    ['general.name', kinds.text, 'tiny'],
    ['llama.context_length', kinds.u32, context],
    ['llama.embedding_length', kinds.u32, width],
    ['llama.block_count', kinds.u32, 1],
    ['llama.feed_forward_length', kinds.u32, inner],
    ['llama.attention.head_count', kinds.u32, heads],
    ['llama.attention.head_count_kv', kinds.u32, heads],
    ['llama.attention.layer_norm_rms_epsilon', kinds.f32, 1e-5],
    ['llama.rope.dimension_count', kinds.u32, width / heads],
    ['llama.vocab_size', kinds.u32, pieces.length],
    ['tokenizer.ggml.model', kinds.text, 'llama'],
    ['tokenizer.ggml.tokens', kinds.list, kinds.text, pieces.map(([text]) => text)],
    ['tokenizer.ggml.scores', kinds.list, kinds.f32, pieces.map((_, at) => -at)],
    ['tokenizer.ggml.token_type', kinds.list, kinds.i32, pieces.map(([, kind]) => kind)],
    ['tokenizer.ggml.unknown_token_id', kinds.u32, 0],
    ['tokenizer.ggml.bos_token_id', kinds.u32, 1],
    ['tokenizer.ggml.eos_token_id', kinds.u32, 2],
    [
      'tokenizer.chat_template',
      kinds.text,
      '{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:',
    ],
  ];
  return { facts, tensors };
}

function encode({ facts, tensors }) {
  const to = new Writer().bytes(Buffer.from('GGUF')).u32(3).u64(tensors.length).u64(facts.length);
  for (const [name, kind, value, items] of facts) {
    to.text(name).u32(kind);
    if (kind !== kinds.list) {
      to.value(kind, value);
      continue;
    }
    to.u32(value).u64(items.length);
    for (const item of items) to.value(value, item < 0 && value !== kinds.f32 ? 0 : item);
  }
  let offset = 0;
  for (const [name, shape, values] of tensors) {
    to.text(name).u32(shape.length);
    for (const length of shape) to.u64(length);
    to.u32(0).u64(offset); // 32-bit floats
    offset += Math.ceil((values.length * 4) / alignment) * alignment;
  }
  to.pad();
  for (const [, , values] of tensors) to.bytes(Buffer.from(values.buffer)).pad();
  return to.done();
}

writeFileSync(process.argv[2], encode(model()));

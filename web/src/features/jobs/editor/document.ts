/**
 * A job definition as YAML text, read and changed in place. The text is the one truth of the editor: the form shows
 * what it says, and an edit of the form changes only the part of the text it means, comments and order kept. Pure.
 */
import {
  type Document, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, Scalar, type ScalarTag,
  type SchemaOptions, stringify, type Tags,
} from "yaml";

export type Path = readonly (string | number)[];
export type Value = null | string | number | boolean | readonly Value[] | { readonly [key: string]: Value };
export type Definition = Readonly<Record<string, Value>>;

/** Where something stands: line and column from 1, offsets into the text. */
export interface Place {
  line: number;
  column: number;
  from: number;
  to: number;
}

export interface Mistake extends Place {
  message: string;
}

export interface Reading {
  text: string;
  /** What the text says; null when it cannot be read or is no mapping. */
  definition: Definition | null;
  /** Why it cannot be read. */
  mistakes: readonly Mistake[];
  /** Where the key or item of a path stands; of one that is not there its nearest parent. */
  placeOf: (path: Path) => Place;
}

type Tag = Tags[number];

const isTag = (tag: Tag, name: string): tag is ScalarTag => typeof tag === "object" && tag.tag === `tag:yaml.org,2002:${name}`;

const withoutLetters = (tag: ScalarTag): ScalarTag =>
  tag.test ? { ...tag, test: new RegExp(tag.test.source.replace(/[YN]\|[yn]\|/, "")) } : tag;

/** YAML as the server reads it: 1.1, but `y` and `n` are letters and dates are text. */
const LIKE_THE_SERVER: SchemaOptions & { version: "1.1" } = {
  version: "1.1",
  customTags: (tags) => tags.filter((tag) => !isTag(tag, "timestamp")).map((tag) => (isTag(tag, "bool") ? withoutLetters(tag) : tag)),
};
const OUT = { ...LIKE_THE_SERVER, lineWidth: 0 };

const open = (text: string, lineCounter?: LineCounter): Document.Parsed =>
  parseDocument(text, { ...LIKE_THE_SERVER, keepSourceTokens: false, prettyErrors: false, uniqueKeys: true, ...(lineCounter ? { lineCounter } : {}) });

export const isMapping = (value: unknown): value is Definition => typeof value === "object" && value !== null && !Array.isArray(value);

export const isList = (value: unknown): value is readonly Value[] => Array.isArray(value);

/** Never throws: what cannot be read is a mistake with a place. */
export const read = (text: string): Reading => {
  const lines = new LineCounter();
  const doc = open(text, lines);
  const place = (from: number, to: number): Place => {
    const at = lines.linePos(Math.min(from, text.length));
    return { line: Math.max(at.line, 1), column: Math.max(at.col, 1), from: Math.min(from, text.length), to: Math.min(Math.max(to, from), text.length) };
  };
  const mistakes: Mistake[] = doc.errors.map(({ pos, message }) => ({ ...place(pos[0], pos[1]), message }));
  let definition: Definition | null = null;
  if (mistakes.length === 0)
    try {
      const value: unknown = doc.toJS({ maxAliasCount: 100 });
      if (isMapping(value)) definition = value;
      else mistakes.push({ ...place(0, 0), message: "A job is a mapping that begins with “name: …”." });
    } catch (error) {
      mistakes.push({ ...place(0, 0), message: error instanceof Error ? error.message : String(error) });
    }
  return { text, definition, mistakes, placeOf: (path) => place(...rangeOf(doc, path)) };
};

const keyText = ({ key }: Pair): string => (isScalar(key) ? String(key.value) : String(key));

const rangeOf = (doc: Document.Parsed, path: Path): [number, number] => {
  let node: unknown = doc.contents;
  let range: [number, number] = [0, 0];
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => keyText(item) === String(part));
      if (!pair) break;
      const key = pair.key as Node | null;
      if (key?.range) range = [key.range[0], (pair.value as Node | null)?.range?.[1] ?? key.range[1]];
      node = pair.value;
    } else if (isSeq(node)) {
      const item = node.items[Number(part)] as Node | undefined;
      if (!item) break;
      if (item.range) range = [item.range[0], item.range[1]];
      node = item;
    } else break;
  }
  return range;
};

const isFlatText = (value: Value): boolean => value === null || typeof value !== "object";

/** The text of a scalar in the flow of a line; null when it needs a block. */
const inline = (value: Value): string | null => {
  const written = stringify(value, OUT).replace(/\n$/, "");
  return written.includes("\n") || written.startsWith("%") ? null : written;
};

export const same = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
  );
};

/** The value with one part of it changed; `undefined` takes the part away. Missing mappings are made. */
export const withPart = (value: Value | undefined, path: Path, part: Value | undefined): Value | undefined => {
  const [head, ...rest] = path;
  if (head === undefined) return part;
  if (Array.isArray(value)) {
    const items: Value[] = [...(value as readonly Value[])];
    const next = withPart(items[Number(head)], rest, part);
    if (next === undefined) items.splice(Number(head), 1);
    else items[Number(head)] = next;
    return items;
  }
  const map: Record<string, Value> = isMapping(value) ? { ...value } : {};
  const next = withPart(map[String(head)], rest, part);
  if (next === undefined) Reflect.deleteProperty(map, String(head));
  else map[String(head)] = next;
  return map;
};

export const partOf = (value: Value | undefined, path: Path): Value | undefined =>
  path.reduce<Value | undefined>((at, key) => (typeof at === "object" && at !== null ? (at as Record<string | number, Value>)[key] : undefined), value);

/** A scalar that stands in a line is replaced right there, and not one other character is touched. */
const spliced = (doc: Document.Parsed, text: string, path: Path, value: Value): string | null => {
  const node: unknown = doc.getIn(path, true);
  if (!isScalar(node) || !node.range || !isFlatText(value) || node.anchor !== undefined || node.tag !== undefined) return null;
  if (node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED) return null;
  const [from, to] = node.range;
  const written = inline(value);
  if (written === null || from === to || text.slice(from, to).includes("\n")) return null;
  return text.slice(0, from) + written + text.slice(to);
};

const blocks = (node: unknown): void => {
  if (isScalar(node)) {
    if (typeof node.value === "string" && node.value.includes("\n")) node.type = Scalar.BLOCK_LITERAL;
  } else if (isMap(node)) for (const pair of node.items) blocks(pair.value);
  else if (isSeq(node)) for (const item of node.items) blocks(item);
};

const made = (doc: Document.Parsed, value: Value): Node => {
  const node = doc.createNode(value) as Node;
  blocks(node);
  return node;
};

/** As people like to read a job; a key that comes new goes to its place among those there are. */
const ORDER = ["name", "description", "version", "parameters", "targets", "max_parallel", "steps"];

const changeIn = (doc: Document.Parsed, path: Path, value: Value | undefined): void => {
  if (value === undefined) {
    doc.deleteIn(path);
    return;
  }
  const node: unknown = doc.getIn(path, true);
  if (isScalar(node) && isFlatText(value)) {
    node.value = value;
    Reflect.deleteProperty(node, "source");
    Reflect.deleteProperty(node, "format");
    if (typeof value === "string" && value.includes("\n")) node.type = Scalar.BLOCK_LITERAL;
    else if (typeof value !== "string") node.type = Scalar.PLAIN;
    return;
  }
  const parent: unknown = doc.getIn(path.slice(0, -1), true);
  if (path.length > 1 && !isMap(parent) && !isSeq(parent)) {
    changeIn(doc, path.slice(0, -1), withPart(undefined, path.slice(-1), value));
    return;
  }
  const [key] = path;
  if (path.length === 1 && isMap(doc.contents) && !doc.contents.has(key)) {
    const later = ORDER.slice(ORDER.indexOf(String(key)) + 1);
    const at = ORDER.includes(String(key)) ? doc.contents.items.findIndex((pair) => later.includes(keyText(pair))) : -1;
    doc.contents.items.splice(at === -1 ? doc.contents.items.length : at, 0, doc.createPair(key, made(doc, value)) as never);
    return;
  }
  doc.setIn(path, made(doc, value));
};

const written = (doc: Document.Parsed, text: string): string => {
  const deep = Math.min(...[...text.matchAll(/^( {2,8})[^\s#]/gm)].map(([, blanks = ""]) => blanks.length));
  return doc.toString({ lineWidth: 0, ...(Number.isFinite(deep) ? { indent: deep } : {}), indentSeq: !/^\S.*:\s*\n- /m.test(text) });
};

/**
 * The text with the value at `path` changed, or taken away with `undefined`. Comments and the order of keys stay
 * wherever what they stand beside stays. The text must be readable; what it says afterwards is exactly what was asked.
 */
export const edit = (text: string, path: Path, value: Value | undefined): string => {
  const before = read(text).definition ?? {};
  const wanted = withPart(before, path, value);
  const doc = open(text);
  const small = value === undefined ? null : spliced(doc, text, path, value);
  if (small !== null && same(read(small).definition, wanted)) return small;
  if (!isMap(doc.contents)) return stringify(wanted, OUT);
  changeIn(doc, path, value);
  const whole = written(doc, text);
  return same(read(whole).definition, wanted) ? whole : stringify(wanted, OUT);
};

const onList = (text: string, path: Path, change: (items: unknown[]) => void): string => {
  const doc = open(text);
  const list: unknown = doc.getIn(path, true);
  if (!isSeq(list)) return text;
  change(list.items);
  return written(doc, text);
};

/** An item of a list goes to another place, its comments with it. */
export const move = (text: string, path: Path, from: number, to: number): string =>
  onList(text, path, (items) => items.splice(to, 0, ...items.splice(from, 1)));

export const insert = (text: string, path: Path, at: number, value: Value): string => {
  const list = partOf(read(text).definition ?? {}, path);
  if (!Array.isArray(list) || list.length === 0) return edit(text, path, [value]);
  const doc = open(text);
  const items: unknown = doc.getIn(path, true);
  if (!isSeq(items)) return text;
  items.items.splice(at, 0, made(doc, value));
  return written(doc, text);
};

/** A key of a mapping gets another name and keeps its place. Unchanged when the new name is taken. */
export const rename = (text: string, path: Path, from: string, to: string): string => {
  const doc = open(text);
  const map: unknown = path.length === 0 ? doc.contents : doc.getIn(path, true);
  if (!isMap(map) || from === to || map.has(to)) return text;
  const pair = (map).items.find((item) => keyText(item) === from);
  if (!pair) return text;
  if (isScalar(pair.key)) pair.key.value = to;
  else pair.key = new Scalar(to);
  return written(doc, text);
};

/** A definition as YAML, scripts as blocks. */
export const asText = (definition: Definition): string => {
  const doc = open("");
  doc.contents = made(doc, definition) as typeof doc.contents;
  return doc.toString({ lineWidth: 0 });
};

/** A part of a definition as text of its own, and back; undefined when the text cannot be read. */
export const partAsText = (value: Value | undefined): string => (value === undefined ? "" : stringify(value, OUT).replace(/\n$/, ""));

export const textAsPart = (text: string): Value | undefined => {
  const doc = open(text);
  return doc.errors.length > 0 ? undefined : (doc.toJS({ maxAliasCount: 100 }) as Value);
};

/**
 * XML as a plain tree that can be cut down and written again with its prefixes as they were. Well-formedness is
 * checked by saxes, which knows no external entities and fetches nothing.
 */
import { SaxesParser } from "saxes";
import { Refusal } from "../../src/foundation/errors.ts";

export interface XmlElement {
  /** With its prefix. */
  name: string;
  attributes: Record<string, string>;
  children: (XmlElement | string)[];
}

/** Throws: `BAD_XML` with the line and column of the first fault. */
export function parseXml(text: string, file: string): XmlElement {
  const parser = new SaxesParser({ fileName: file, position: true });
  const top: XmlElement = { name: "", attributes: {}, children: [] };
  const open = [top];
  const add = (child: XmlElement | string) => open.at(-1)?.children.push(child);
  parser.on("error", ({ message }) => {
    throw badXml(file, message);
  });
  parser.on("opentag", ({ name, attributes }) => {
    const element: XmlElement = { name, attributes: attributes as Record<string, string>, children: [] };
    add(element);
    open.push(element);
  });
  parser.on("closetag", () => open.pop());
  parser.on("text", (content) => {
    if (open.length > 1) add(content);
  });
  parser.on("cdata", add);
  parser.write(text).close();
  const root = top.children[0];
  if (root === undefined || typeof root === "string") throw badXml(file, "no element");
  return root;
}

/** Where only elements stand in another they get lines of their own: oscap 1.3.7 misreads an empty one that its next touches. */
export function writeXml(root: XmlElement): string {
  return `<?xml version="1.0"?>\n${written(root)}\n`;
}

/** The name without its prefix. */
export function localName({ name }: XmlElement): string {
  return name.slice(name.indexOf(":") + 1);
}

/** The child elements of a local name, or all of them. */
export function elementsOf(parent: XmlElement, local?: string): XmlElement[] {
  return parent.children.filter(
    (child): child is XmlElement => typeof child !== "string" && (local === undefined || localName(child) === local),
  );
}

/** Yields every element below one, each before its own. */
export function* descendants(parent: XmlElement): Generator<XmlElement> {
  for (const child of elementsOf(parent)) {
    yield child;
    yield* descendants(child);
  }
}

/** All text below an element; `replace` gives the text of an element that stands for something else. */
export function textOf(parent: XmlElement, replace: (element: XmlElement) => string | null = () => null): string {
  return parent.children
    .map((child) => (typeof child === "string" ? child : (replace(child) ?? textOf(child, replace))))
    .join("");
}

function written({ name, attributes, children }: XmlElement): string {
  const inTag = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${escaped(value).replaceAll('"', "&quot;")}"`,
  );
  if (children.length === 0) return `<${name}${inTag.join("")}/>`;
  const inside = children.map((child) => (typeof child === "string" ? escaped(child) : written(child)));
  const gap = children.some((child) => typeof child === "string") ? "" : "\n";
  return `<${name}${inTag.join("")}>${gap}${inside.join(gap)}${gap}</${name}>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function badXml(file: string, message: string): Refusal {
  return new Refusal({
    code: "BAD_XML",
    message: "The security content is not well-formed XML.",
    expected: "a SCAP source data stream",
    got: message,
    where: file,
    fix: "set the skill up anew: tracemill skill setup stig",
  });
}

/**
 * Reads a SCAP source data stream: the rules of the STIG profile in order, with their texts and fixes as people and
 * shells read them, and the components that a scan needs.
 */
import { Refusal } from "../../src/foundation/errors.ts";
import { descendants, elementsOf, localName, parseXml, textOf, type XmlElement } from "./xml.ts";

export const PROFILE = "xccdf_org.ssgproject.content_profile_stig";
export const RULE_PREFIX = "xccdf_org.ssgproject.content_rule_";

const OVAL_SYSTEM = "http://oval.mitre.org/XMLSchema/oval-definitions-5";
const SHELL_FIX = "urn:xccdf:fix:script:sh";

export interface Rule {
  /** The full XCCDF id. */
  id: string;
  title: string;
  /** Without markup; literal lines stand on lines of their own. */
  description: string;
  severity: string;
  /** CCE and STIG ids. */
  identifiers: string[];
  /** The content's own bash fix; null where it has none. */
  fix: string | null;
  /** Paths that the rule's checks look at, as the content names them. */
  paths: string[];
  /** Whether its checks look at nothing but files of `/usr`, which a scan takes from the root as it was set up. */
  isConstant: boolean;
}

export interface Datastream {
  root: XmlElement;
  components: { benchmark: XmlElement; oval: XmlElement; cpeList: XmlElement; cpeOval: XmlElement };
}

/** Throws: `BAD_XML`; `BAD_DATASTREAM` where it is XML but not a data stream with the STIG profile. */
export function readDatastream(text: string, file: string): Datastream {
  const root = parseXml(text, file);
  const inside = elementsOf(root, "component").map((component) => elementsOf(component)[0]);
  const find = (name: string, isCpe = false) => {
    const found = inside.find((element, i) => {
      if (element === undefined || localName(element) !== name) return false;
      return name !== "oval_definitions" || /cpe-oval/.test(idAt(root, i)) === isCpe;
    });
    if (found === undefined) throw badDatastream(file, `no component with ${name}`);
    return found;
  };
  const components = {
    benchmark: find("Benchmark"),
    oval: find("oval_definitions"),
    cpeList: find("cpe-list"),
    cpeOval: find("oval_definitions", true),
  };
  if (profileOf(components.benchmark) === undefined) throw badDatastream(file, `no profile ${PROFILE}`);
  return { root, components };
}

/** The rules that the STIG profile selects, in the order of the content. */
export function rulesOf({ components: { benchmark, oval } }: Datastream): Rule[] {
  const profile = profileOf(benchmark) as XmlElement;
  const selected = new Set(
    elementsOf(profile, "select")
      .filter(({ attributes }) => attributes.selected === "true")
      .map(({ attributes }) => attributes.idref),
  );
  const values = valuesOf(benchmark, profile);
  const sights = sightsOf(oval);
  return [...descendants(benchmark)]
    .filter((element) => localName(element) === "Rule" && selected.has(element.attributes.id))
    .map((element) => ruleOf(element, { values, sights }));
}

function ruleOf(
  element: XmlElement,
  { values, sights }: { values: ReadonlyMap<string, string>; sights: (definition: string) => Sight },
): Rule {
  const substitute = (child: XmlElement) =>
    localName(child) === "sub" ? (values.get(child.attributes.idref ?? "") ?? "") : null;
  const fix = elementsOf(element, "fix").find(({ attributes }) => attributes.system === SHELL_FIX);
  const text = (name: string) => elementsOf(element, name).map((child) => textOf(child, substitute))[0] ?? "";
  const stigIds = elementsOf(element, "reference")
    .map((reference) => textOf(reference).trim())
    .filter((id) => /^[A-Z]{4}-\d\d-\d{6}$/.test(id));
  const definitions = elementsOf(element, "check")
    .filter(({ attributes }) => attributes.system === OVAL_SYSTEM)
    .flatMap((check) => elementsOf(check, "check-content-ref").map(({ attributes }) => attributes.name ?? ""));
  const seen = definitions.map(sights);
  const paths = [...new Set(seen.flatMap((sight) => sight.paths))].sort();
  return {
    id: element.attributes.id ?? "",
    title: text("title").trim(),
    description: descriptionOf(element, substitute),
    severity: element.attributes.severity ?? "unknown",
    identifiers: [...elementsOf(element, "ident").map((ident) => textOf(ident).trim()), ...new Set(stigIds)],
    fix: fix === undefined ? null : textOf(fix, substitute),
    paths,
    isConstant: paths.length > 0 && paths.every(isBelowUsr) && seen.every(({ kinds }) => kinds.every(isOfFiles)),
  };
}

function descriptionOf(rule: XmlElement, substitute: (child: XmlElement) => string | null): string {
  const [description] = elementsOf(rule, "description");
  if (description === undefined) return "";
  const shown = (child: XmlElement): string | null => {
    const name = localName(child);
    if (name === "br") return "\n";
    if (name === "pre") return `\n\0${textOf(child, substitute).trim().replaceAll("\n", "\n\0")}\n`;
    if (name === "li") return `\n- ${textOf(child, shown).trim()}\n`;
    return substitute(child);
  };
  return textOf(description, shown)
    .split(/\n(?=\0)|(?<=\0[^\n]*)\n/)
    .map((part) => (part.startsWith("\0") ? part.slice(1) : part.replaceAll(/\s+/g, " ").trim()))
    .filter((part) => part !== "")
    .join("\n");
}

/** Each value as the profile refines it. */
function valuesOf(benchmark: XmlElement, profile: XmlElement): Map<string, string> {
  const selectors = new Map(
    elementsOf(profile, "refine-value").map(({ attributes }) => [attributes.idref, attributes.selector]),
  );
  const found = new Map<string, string>();
  for (const element of descendants(benchmark)) {
    if (localName(element) !== "Value") continue;
    const choices = elementsOf(element, "value");
    const selector = selectors.get(element.attributes.id);
    const chosen = choices.find(({ attributes }) => attributes.selector === selector) ?? choices[0];
    if (chosen !== undefined) found.set(element.attributes.id ?? "", textOf(chosen).trim());
  }
  return found;
}

/** What a definition looks at: paths, and the kinds of all elements that it leads to. */
interface Sight {
  paths: string[];
  kinds: string[];
}

function sightsOf(oval: XmlElement): (definition: string) => Sight {
  const byId = new Map<string, XmlElement>();
  for (const element of elementsOf(oval).flatMap((section) => elementsOf(section))) {
    if (element.attributes.id !== undefined) byId.set(element.attributes.id, element);
  }
  return (definition) => {
    const seen = new Set<string>();
    const sight: Sight = { paths: [], kinds: [] };
    const visit = (id: string) => {
      const element = byId.get(id);
      if (element === undefined || seen.has(id)) return;
      seen.add(id);
      const parts = [...descendants(element)];
      sight.kinds.push(localName(element));
      if (localName(element).endsWith("_object")) sight.paths.push(...ownPaths(parts));
      for (const part of parts) {
        for (const named of [...Object.values(part.attributes), textOf(part).trim()]) visit(named);
      }
    };
    visit(definition);
    return sight;
  };
}

/** Every alternative of the path or pattern starts in `/usr`, or in a folder that is a link into it. */
function isBelowUsr(pattern: string): boolean {
  return pattern.split("|^").every((part, i) => {
    const plain = i === 0 ? part.replace(/^\^/, "") : part;
    return /^\\?\/(usr|lib(64)?|(\(\|s\)|s\??)?bin)(\\?\/|$)/.test(plain);
  });
}

function isOfFiles(kind: string): boolean {
  return ["definition", "file_test", "file_object", "file_state"].includes(kind);
}

function ownPaths(parts: readonly XmlElement[]): string[] {
  const text = (name: string) => parts.filter((part) => localName(part) === name).map((part) => textOf(part).trim())[0];
  const path = text("filepath") ?? (text("path") && `${text("path")}/${text("filename") ?? ""}`);
  return path === undefined || path === "" ? [] : [path];
}

function profileOf(benchmark: XmlElement): XmlElement | undefined {
  return elementsOf(benchmark, "Profile").find(({ attributes }) => attributes.id === PROFILE);
}

function idAt(root: XmlElement, i: number): string {
  return elementsOf(root, "component")[i]?.attributes.id ?? "";
}

function badDatastream(file: string, got: string): Refusal {
  return new Refusal({
    code: "BAD_DATASTREAM",
    message: "The security content is not a data stream with a STIG profile.",
    expected: `a SCAP source data stream that holds ${PROFILE}`,
    got,
    where: file,
    fix: "set the skill up anew: tracemill skill setup stig",
  });
}

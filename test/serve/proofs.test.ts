import { expect, test } from "vitest";
import { type Hash, hashText } from "../../src/foundation/hashing.ts";
import type { Model } from "../../src/serve/model-card.ts";
import { provenNames } from "../../src/serve/proofs.ts";
import { createServedNames } from "../../src/serve/served-names.ts";

const baseHash = hashText("base");
const adapter = (id: string): Model => ({ id, parent: "base", baseHash, adapterHash: hashText(id) as Hash });
const FIRST: Model[] = [{ id: "base", parent: null, baseHash, adapterHash: null }, adapter("one"), adapter("two")];

function served(wanted: boolean) {
  const nothing = async () => {};
  return provenNames(createServedNames(FIRST, { open: nothing, close: nothing }), { wanted });
}

const unproven = (message: string) => expect.objectContaining({ code: "ADAPTER_UNPROVEN", message });

test("an adapter answers once it has passed, each for itself, and the base from the start", () => {
  const { names, proofs } = served(true);
  expect([names.enter("base").model.id, proofs.pending()]).toEqual(["base", ["one", "two"]]);
  expect(() => names.enter("one")).toThrow(unproven("one answers once the canary has proven that it is live here."));
  proofs.passed("one");
  expect([names.enter("one").model.id, proofs.pending()]).toEqual(["one", ["two"]]);
});

test("whoever proves an adapter asks it by a name that means nothing once it has passed", () => {
  const { names, proofs } = served(true);
  const proving = proofs.nameOf("one");
  expect(names.enter(proving).model.id).toBe("one");
  proofs.passed("one");
  expect(proofs.nameOf("one")).toBe("one");
  expect(() => names.enter(proving)).toThrow(expect.objectContaining({ code: "UNKNOWN_MODEL" }));
});

test("one that failed goes on answering nobody, and says why", () => {
  const { names, proofs } = served(true);
  proofs.failed("one", "It changes too little.");
  expect(() => names.enter("one")).toThrow(
    unproven("one does not answer, as it failed its canary: It changes too little."),
  );
});

test("what was proven has to pass again where another process serves it, and so has what is added", async () => {
  const { names, proofs, silence } = served(true);
  for (const id of proofs.pending()) proofs.passed(id);
  await names.add(adapter("three"));
  expect(proofs.pending()).toEqual(["three"]);
  silence();
  expect(proofs.pending()).toEqual(["one", "two", "three"]);
  expect(names.enter("base").model.id).toBe("base");
});

test("what was proven answers on where its process is replaced, until it fails there, or nothing is known of the process", () => {
  const { names, proofs, silence, doubt } = served(true);
  proofs.passed("one");
  doubt();
  expect([proofs.pending(), proofs.doubted()]).toEqual([["two"], ["one"]]);
  expect([names.enter("one").model.id, proofs.nameOf("one")]).toEqual(["one", "one"]);
  proofs.passed("one");
  expect(proofs.doubted()).toEqual([]);
  doubt();
  proofs.failed("one", "It changes too little.");
  expect(() => names.enter("one")).toThrow(expect.objectContaining({ code: "ADAPTER_UNPROVEN" }));
  expect([proofs.pending(), proofs.doubted()]).toEqual([["one", "two"], []]);
  proofs.passed("one");
  doubt();
  silence();
  expect([proofs.pending(), proofs.doubted()]).toEqual([["one", "two"], []]);
});

test("a request that is turned away keeps nobody from taking the adapter away", async () => {
  const { names, proofs } = served(true);
  expect(() => names.enter("one")).toThrow();
  await names.remove("one");
  expect(proofs.pending()).toEqual(["two"]);
});

test("all answer at once where no proof is wanted", () => {
  const { names, proofs, silence, doubt } = served(false);
  silence();
  doubt();
  expect([names.enter("one").model.id, proofs.pending(), proofs.doubted()]).toEqual(["one", [], []]);
  expect(proofs.nameOf("one")).toBe("one");
});

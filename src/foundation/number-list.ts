/**
 * A list of numbers that grows, kept outside of the JavaScript heap: of what there may be millions of, an object each
 * would take many times the room and be looked at by every garbage collection.
 */

export interface NumberList {
  readonly length: number;
  push(value: number): void;
  /** Contract: the index is one of the list's. */
  at(index: number): number;
}

const FIRST_LENGTH = 1024;

/** Makes an empty list of whole numbers below 2^32 (`uint32`), or of any numbers (`float64`). */
export function numberList(type: "uint32" | "float64"): NumberList {
  const NumberArray = type === "uint32" ? Uint32Array : Float64Array;
  let numbers = new NumberArray(FIRST_LENGTH);
  let length = 0;
  return {
    get length() {
      return length;
    },
    push(value) {
      if (length === numbers.length) {
        const larger = new NumberArray(2 * length);
        larger.set(numbers);
        numbers = larger;
      }
      numbers[length] = value;
      length += 1;
    },
    at: (index) => numbers[index] as number,
  };
}

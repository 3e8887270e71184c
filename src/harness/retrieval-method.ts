/**
 * One way of telling how alike an item's task is to what each tip is about. Every file of `retrieval-methods/` is one;
 * its file name is what `--retrieval` takes. What else a tip's rank depends on is the same for all (`tip-weight.ts`).
 */
export interface RetrievalMethod {
  /** What is compared, in a few words. */
  summary: string;
  /** Begins with no texts at all. */
  open(): Similarity;
}

export interface Similarity {
  /** Adds what the next tip is about; texts are numbered from 0 as they come. */
  add(about: string): void;
  /**
   * Returns a score for each text, 0 where nothing is alike.
   * Contract: at least 0, the same for the same texts and task; looked up before every prompt, so fast.
   */
  scores(task: string): Float64Array;
}

/** The terms of a hosted model may forbid training on what it wrote: whoever may do so names it. */
import type { Filter } from "../filter.ts";
import { isForbiddenTeacher } from "../hosted-models.ts";

const filter: Filter = {
  summary: "a hosted model wrote the answer, and it is not among the allowed teachers",
  refuses: (candidate, { allowTeachers }) => isForbiddenTeacher(candidate, allowTeachers),
};

export default filter;

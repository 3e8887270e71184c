/** The terms of a hosted model may forbid training on what it wrote: whoever may do so names it. */
import type { Filter } from "../filter.ts";
import { isForbiddenTeacher } from "../hosted-models.ts";

const filter: Filter = {
  summary: "a model wrote the answer that is hosted, or not known to be open, and it is not among the allowed teachers",
  isAboutAnswer: true,
  refuses: (candidate, { allowTeachers, isServedElsewhere }) => {
    const isOwn = !isServedElsewhere(candidate);
    return isForbiddenTeacher({ ...candidate, isOwn }, allowTeachers);
  },
};

export default filter;

// All tests in one process: starting one for each file would take longer than the tests.
import "./lists.test.js";
import "./money.test.js";
import "./numbers.test.js";
import "./queries.test.js";
import "./text.test.js";
import "./time.test.js";

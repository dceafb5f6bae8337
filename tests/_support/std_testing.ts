/** The parts of std/testing that the tests use, with types: the package ships none. */
// @ts-types="./std_testing.d.ts"
export {
  assertSpyCall,
  assertSpyCalls,
  resolvesNext,
  returnsNext,
  spy,
  stub,
} from "std/testing/mock";

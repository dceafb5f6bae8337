/** The answer to one question, or the words in which Redis refused it. */
export type Answer<T> = { readonly value: T } | { readonly refused: string };

/** Asks a question that Redis may refuse while others are answered. */
export async function ask<T>(question: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { value: await question() };
  } catch (error) {
    return { refused: error instanceof Error ? error.message : `${error}` };
  }
}

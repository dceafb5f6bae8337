/** A file for as long as a test uses it. */
export interface TempFile extends AsyncDisposable {
  readonly path: string;
}

/** Writes a file with this text, which is gone when it is disposed. */
export async function tempFile(text = ""): Promise<TempFile> {
  const path = await Deno.makeTempFile({ prefix: "runnel-file-" });
  await Deno.writeTextFile(path, text);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

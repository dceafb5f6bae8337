import assert from "node:assert/strict";
import { CliError } from "../../../lib/cli/cli_error.ts";
import { DataFolder } from "../../../lib/cli/redis/data_folder.ts";

async function tempDir() {
  const path = await Deno.makeTempDir({ prefix: "runnel-data-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test("DataFolder.open() makes the folder for this user only and resolves links", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(`${dir.path}/real`);
  await Deno.symlink(`${dir.path}/real`, `${dir.path}/link`);
  using folder = await DataFolder.open(`${dir.path}/link/a/b`);
  assert.equal(folder.path, await Deno.realPath(`${dir.path}/real/a/b`));
  assert.equal((await Deno.stat(folder.path)).mode! & 0o777, 0o700);
});

Deno.test("DataFolder.open() refuses a folder that is in use, and takes it once it is free", async () => {
  await using dir = await tempDir();
  const first = await DataFolder.open(dir.path);
  await assert.rejects(DataFolder.open(dir.path), (error: unknown) => {
    assert.ok(error instanceof CliError);
    assert.ok(error.message.includes(`process ${Deno.pid} is using it`), error.message);
    assert.match(error.advice.join("\n"), /RUNNEL_DATA_DIR/);
    return true;
  });
  first[Symbol.dispose]();
  using _second = await DataFolder.open(dir.path);
});

Deno.test("DataFolder.open() says why a folder cannot be used", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(`${dir.path}/file`, "");
  await assert.rejects(DataFolder.open(`${dir.path}/file`), /Cannot use .*file as the data folder/);
});

Deno.test("DataFolder.restore() makes a removed folder again, locked as it was", async () => {
  await using dir = await tempDir();
  using folder = await DataFolder.open(`${dir.path}/data`);
  folder.restore();
  await Deno.remove(folder.path, { recursive: true });
  folder.restore();
  assert.equal((await Deno.stat(folder.path)).mode! & 0o777, 0o700);
  await assert.rejects(DataFolder.open(folder.path), /is using it/);
});

Deno.test("DataFolder.restore() leaves alone the folder that another one has made meanwhile", async () => {
  await using dir = await tempDir();
  using folder = await DataFolder.open(`${dir.path}/data`);
  await Deno.remove(folder.path, { recursive: true });
  {
    using _other = await DataFolder.open(folder.path);
    assert.throws(() => folder.restore(), CliError);
  }
  folder.restore();
});

Deno.test("DataFolder keeps its record for this user only, and copes with half a record", async () => {
  await using dir = await tempDir();
  using folder = await DataFolder.open(dir.path);
  assert.equal(folder.readRecord(), undefined);
  const record = { pid: 7, address: { path: "/x", tls: false, db: 0 } };
  folder.writeRecord(record);
  assert.deepEqual(folder.readRecord(), record);
  const file = `${folder.path}/redis.json`;
  assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
  await Deno.writeTextFile(file, '{"pid": 7, "addr');
  assert.equal(folder.readRecord(), undefined);
  folder.removeRecord();
  folder.removeRecord();
});

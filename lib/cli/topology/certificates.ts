/** A throw-away certificate authority for TLS and mTLS on this machine, made with the openssl command. */

/** Paths and texts of one certificate with its key, both PEM. */
export interface Certificate {
  readonly certPath: string;
  readonly keyPath: string;
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority with a server's and a client's certificate. Disposing it removes the files. */
export interface Certificates extends AsyncDisposable {
  readonly dir: string;
  readonly ca: Certificate;
  /** For `localhost`, `127.0.0.1`, `::1` and {@link CertificateOptions.serverName}. */
  readonly server: Certificate;
  readonly client: Certificate;
}

/** Options of {@link makeCertificates}. */
export interface CertificateOptions {
  /** One more name that the server's certificate is valid for. @default "redis.test" */
  readonly serverName?: string;
}

/**
 * Makes an authority and two certificates signed by it, valid for a day.
 *
 * @throws {Error} when openssl is missing or fails; its own words are in the message.
 */
export async function makeCertificates(
  { serverName = "redis.test" }: CertificateOptions = {},
): Promise<Certificates> {
  const dir = await Deno.makeTempDir({ prefix: "runnel-tls-" });
  await openssl(dir, [
    ...["req", "-x509", "-days", "1", "-subj", "/CN=Runnel test authority"],
    ...[...newKey("ca"), "-out", "ca.crt"],
    ...["-addext", "keyUsage=critical,keyCertSign,cRLSign"],
  ]);
  const names = `DNS:localhost,DNS:${serverName},IP:127.0.0.1,IP:::1`;
  // servers are each other's clients where they replicate
  const usage = "extendedKeyUsage=serverAuth,clientAuth";
  await issue(dir, "server", `subjectAltName=${names}\n${usage}`);
  await issue(dir, "client", "extendedKeyUsage=clientAuth");
  return {
    dir,
    ca: await read(dir, "ca"),
    server: await read(dir, "server"),
    client: await read(dir, "client"),
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

async function issue(dir: string, name: string, extensions: string): Promise<void> {
  await Deno.writeTextFile(`${dir}/${name}.ext`, extensions);
  await openssl(dir, ["req", "-subj", `/CN=${name}`, ...newKey(name), "-out", `${name}.csr`]);
  await openssl(dir, [
    ...["x509", "-req", "-days", "1", "-in", `${name}.csr`, "-out", `${name}.crt`],
    ...["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", `${name}.ext`],
  ]);
}

function newKey(name: string): string[] {
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  return [...curve, "-nodes", "-keyout", `${name}.key`];
}

async function openssl(cwd: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, cwd }).output();
  if (!success) {
    throw new Error(`Cannot run openssl ${args[0]}: ${new TextDecoder().decode(stderr)}`);
  }
}

async function read(dir: string, name: string): Promise<Certificate> {
  const certPath = `${dir}/${name}.crt`;
  const keyPath = `${dir}/${name}.key`;
  const [cert, key] = await Promise.all([Deno.readTextFile(certPath), Deno.readTextFile(keyPath)]);
  return { certPath, keyPath, cert, key };
}

/** Certificates as they should not be: for another name, or not valid now. */
import type { Certificate, Certificates } from "../../lib/cli/topology/certificates.ts";

/** Options of {@link issueDated}. */
export interface DatedOptions {
  /** Days from now, negative ones are past. @default -1 */
  readonly fromDay?: number;
  /** @default 1 */
  readonly toDay?: number;
  /** As an extension names them. @default this machine's */
  readonly names?: string;
}

const SETTINGS = `[ca]
default_ca = own
[own]
database = index.txt
serial = serial.txt
new_certs_dir = .
default_md = sha256
policy = names
unique_subject = no
[names]
commonName = supplied
`;
const DAY_MS = 86_400_000;

/**
 * Issues a certificate for servers and clients, by the authority of `certificates`; its files go with those.
 *
 * @throws {Error} what openssl says
 */
export async function issueDated(
  { dir, ca }: Certificates,
  { fromDay = -1, toDay = 1, names = "DNS:localhost,IP:127.0.0.1" }: DatedOptions = {},
): Promise<Certificate> {
  const work = await Deno.makeTempDir({ dir });
  await Deno.writeTextFile(`${work}/ca.conf`, SETTINGS);
  await Deno.writeTextFile(`${work}/index.txt`, "");
  await Deno.writeTextFile(`${work}/serial.txt`, "01\n");
  await Deno.writeTextFile(`${work}/extensions`, `subjectAltName=${names}\n`);
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl(work, ["req", "-subj", "/CN=dated", ...curve, "-keyout", "key", "-out", "csr"]);
  await openssl(work, [
    ...["ca", "-batch", "-notext", "-config", "ca.conf", "-extfile", "extensions"],
    ...["-cert", ca.certPath, "-keyfile", ca.keyPath, "-in", "csr", "-out", "crt"],
    ...["-startdate", dateText(fromDay), "-enddate", dateText(toDay)],
  ]);
  const [certPath, keyPath] = [`${work}/crt`, `${work}/key`];
  const [cert, key] = await Promise.all([certPath, keyPath].map((path) => Deno.readTextFile(path)));
  return { certPath, keyPath, cert: cert ?? "", key: key ?? "" };
}

/** `YYYYMMDDhhmmssZ` */
function dateText(day: number): string {
  const date = new Date(Date.now() + day * DAY_MS);
  return `${date.toISOString().slice(0, 19).replaceAll(/[-:T]/g, "")}Z`;
}

async function openssl(cwd: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args: [...args], cwd }).output();
  if (!success) {
    throw new Error(`Cannot run openssl ${args[0]}: ${new TextDecoder().decode(stderr)}`);
  }
}

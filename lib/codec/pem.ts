import { X509Certificate } from "node:crypto";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;

/**
 * The certificates of a PEM text, in its order; what else it holds is passed over.
 *
 * @throws {Error} where one of them cannot be read
 */
export function readCertificates(text: string): X509Certificate[] {
  return (text.match(CERTIFICATE) ?? []).map((one) => new X509Certificate(one));
}

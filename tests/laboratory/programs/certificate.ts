/**
 * A self-signed certificate for the server, made by openssl.
 * @module
 */
import { ADDRESSES, type Lab } from "../lab.ts";

/** Paths of a key and its certificate, in PEM. */
export interface Certificate {
  readonly key: string;
  readonly certificate: string;
}

/** Makes a key and a certificate for `server.test` and the server's addresses. */
export async function makeCertificate(lab: Lab): Promise<Certificate> {
  const key = `${lab.directory}/key.pem`;
  const certificate = `${lab.directory}/certificate.pem`;
  const names = `subjectAltName=DNS:server.test,IP:${ADDRESSES[4].server},IP:${ADDRESSES[6].server}`;
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  // rustls refuses a CA's certificate as a server's.
  const extensions = ["-addext", names, "-addext", "basicConstraints=critical,CA:FALSE"];
  const files = ["-keyout", key, "-out", certificate];
  await lab.server.run([
    "openssl",
    "req",
    "-x509",
    ...kind,
    ...files,
    "-subj",
    "/CN=server.test",
    ...extensions,
  ]);
  return { key, certificate };
}

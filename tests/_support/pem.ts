/** PEM texts for tests that read settings and speak no TLS. */

/** A certificate that is good for a hundred years, and nobody has its key. */
export const CERT = `-----BEGIN CERTIFICATE-----
MIIBbjCCARWgAwIBAgIUHiI8aJYHanIUWnM1kzlDTW/mg9swCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBdDAgFw0yNjExMjUxNTE2MzlaGA8yMTI2MTEwMTE1MTYzOVow
DDEKMAgGA1UEAwwBdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABOfn62vTR8va
9FmL6SF+APCE5vJTAxK0Mgo9v5V8V9g8yIbeG2RzEKJdrbIiHiqSoZb+ZmFKlVmb
bAbOC3wTW7ujUzBRMB0GA1UdDgQWBBTXQbtvpGXDxMCGF0uvHpO1F1FWxjAfBgNV
HSMEGDAWgBTXQbtvpGXDxMCGF0uvHpO1F1FWxjAPBgNVHRMBAf8EBTADAQH/MAoG
CCqGSM49BAMCA0cAMEQCIHb3qDR3vYE+ogywnlAfMmTNuoY/Qn+gApU71JsJ07Fd
AiBXRifT+SMjz0ehLp8PG5ehB8rajAhNGFwQTVLCoGKjUw==
-----END CERTIFICATE-----
`;

/** It looks like a key, and is none. */
export const KEY = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";

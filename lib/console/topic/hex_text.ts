const WIDTH = 16;

/** Bytes as people read them: the place, the bytes in hexadecimal, and what is printable ASCII of them. */
export function hexText(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += WIDTH) {
    const line = [...bytes.subarray(at, at + WIDTH)];
    const hex = line.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const ascii = line.map((byte) => byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".");
    const place = at.toString(16).padStart(6, "0");
    lines.push(`${place}  ${hex.padEnd(WIDTH * 3 - 1)}  ${ascii.join("")}`);
  }
  return lines.join("\n");
}

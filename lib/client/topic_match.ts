/** Says of a topic whether it is one of these topics and patterns, by the server's rules. */
export function topicMatch(names: readonly string[]): (topic: string) => boolean {
  const patterns = names.filter((name) => name.includes("*")).map(expressionOf);
  return (topic) =>
    names.includes(topic) ||
    (!topic.startsWith("$") && patterns.some((pattern) => pattern.test(topic)));
}

function expressionOf(pattern: string): RegExp {
  const source = pattern.replace(/\*\*?|[\\^$.|?+()[\]{}]/g, (part) => {
    if (part === "**") return "[^]*";
    return part === "*" ? "[^./:]+" : `\\${part}`;
  });
  return new RegExp(`^${source}$`);
}

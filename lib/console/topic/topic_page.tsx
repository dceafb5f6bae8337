import type { Api } from "../api.ts";

/** What {@link TopicPage} takes. */
export interface TopicPageProps {
  readonly topic: string;
  readonly api: Api;
}

/** One topic: its messages as they come, its history, its settings and its groups. */
export function TopicPage({ topic }: TopicPageProps) {
  return <h1>{topic}</h1>;
}

import { Button } from "../ui/button.tsx";
import type { DraftErrors, DraftHeader } from "./publish_draft.ts";

/** The headers in the publish form, as many as somebody wants. */
export function HeaderFields({ headers, errors, onHeaders }: {
  readonly headers: readonly DraftHeader[];
  readonly errors: DraftErrors;
  readonly onHeaders: (headers: readonly DraftHeader[]) => void;
}) {
  const change = (at: number, part: Partial<DraftHeader>) =>
    onHeaders(headers.map((header, i) => i === at ? { ...header, ...part } : header));
  return (
    <div class="stack close" role="group" aria-label="Headers">
      <div class="row spread">
        <span class="label">Headers</span>
        <Button
          kind="quiet"
          size="small"
          onClick={() => onHeaders([...headers, { name: "", value: "" }])}
        >
          Add a header
        </Button>
      </div>
      {headers.map(({ name, value }, i) => {
        const error = errors[`headers/${name}`];
        return (
          <div key={i}>
            <div class="tp-header">
              <input
                class="input"
                aria-label={`Name of header ${i + 1}`}
                aria-invalid={error === undefined ? undefined : true}
                placeholder="name"
                autocomplete="off"
                value={name}
                onInput={(event) => change(i, { name: event.currentTarget.value })}
              />
              <input
                class="input"
                aria-label={`Value of header ${i + 1}`}
                placeholder="value"
                autocomplete="off"
                value={value}
                onInput={(event) => change(i, { value: event.currentTarget.value })}
              />
              <Button
                kind="quiet"
                square
                aria-label={`Remove header ${i + 1}`}
                onClick={() => onHeaders(headers.filter((_, at) => at !== i))}
              >
                ✕
              </Button>
            </div>
            {error !== undefined && <p class="tp-wrong">{error}</p>}
          </div>
        );
      })}
      {errors["headers"] !== undefined && <p class="tp-wrong">{errors["headers"]}</p>}
    </div>
  );
}

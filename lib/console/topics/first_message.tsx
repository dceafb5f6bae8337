import { useState } from "preact/hooks";
import { type Api, ApiError } from "../api.ts";
import { Button } from "../ui/button.tsx";
import { toast } from "../ui/toast.tsx";

/** What to do where nothing was published yet. */
export function FirstMessage(
  { api, onPublished }: { readonly api: Api; readonly onPublished: () => void },
) {
  const [isBusy, setBusy] = useState(false);
  const publish = async () => {
    setBusy(true);
    try {
      await api.call("POST", "publish", { json: { topic: "topic1", data: "Hello" } });
      toast("Published “Hello” to topic1");
      onPublished();
    } catch (error) {
      toast(error instanceof ApiError ? error.message : String(error), "bad");
    } finally {
      setBusy(false);
    }
  };
  const show = api.token === undefined ? "" : ` -H "Authorization: Bearer $TOKEN"`;
  return (
    <div class="empty">
      <strong>No topic yet</strong>
      <span>
        A topic begins with its first message
        {api.token === undefined ? "" : "; topics that you may not read are not listed"}. Publish
        one from a terminal, or here:
      </span>
      <pre class="first-command">curl -d "Hello"{show} {new URL("publish/topic1", api.base).href}</pre>
      <Button kind="primary" disabled={isBusy} onClick={publish}>
        Publish “Hello” to topic1
      </Button>
    </div>
  );
}

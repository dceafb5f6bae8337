import type { ComponentChildren } from "preact";
import type { Connection } from "../connection.ts";
import { Button } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { Toasts } from "../ui/toast.tsx";
import { Light } from "./light.tsx";
import { ThemeButton } from "./theme_button.tsx";
import { Trouble } from "./trouble.tsx";

/** What {@link Frame} takes. */
export interface FrameProps {
  readonly connection: Connection;
  /** Undefined where nobody is signed in. */
  readonly onSignOut?: (() => void) | undefined;
  readonly onKeys: () => void;
  /** The page: it stands in the one `main`, and begins with its `h1`. */
  readonly children: ComponentChildren;
}

/** What is around each page: its name, the light, and what is always at hand. */
export function Frame({ connection, onSignOut, onKeys, children }: FrameProps) {
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          // the address names the page, not a place in it
          event.preventDefault();
          document.getElementById("main")?.focus();
        }}
      >
        Skip to the content
      </a>
      <header class="head">
        <a class="brand" href="#/">
          <Mark />
          <span>Runnel</span>
        </a>
        <Light connection={connection} />
        <div class="tools">
          <Button kind="quiet" square onClick={onKeys} aria-label="Keys" title="Keys (?)">
            <Icon name="keys" />
          </Button>
          <ThemeButton />
          {onSignOut !== undefined && (
            <Button kind="quiet" onClick={onSignOut}>
              <Icon name="leave" />
              <span class="wide">Sign out</span>
            </Button>
          )}
        </div>
      </header>
      <Trouble connection={connection} />
      <main id="main" tabIndex={-1}>{children}</main>
      <Toasts />
    </>
  );
}

function Mark() {
  return (
    <svg width="24" height="24" viewBox="0 0 24 24" aria-hidden="true">
      <rect width="24" height="24" rx="6" class="mark" />
      <path
        class="mark-line"
        d="M4 8.5c2.7-2.4 5.3-2.4 8 0s5.3 2.4 8 0M4 15.5c2.7-2.4 5.3-2.4 8 0s5.3 2.4 8 0"
      />
    </svg>
  );
}

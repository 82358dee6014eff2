import {
  AllowAgain as Button,
  type AllowAgainProps,
} from "../lib/ui/components/allow_again.tsx";

/** The one thing on the page of tool servers that needs scripts. */
export default function AllowAgain(props: AllowAgainProps) {
  return <Button {...props} />;
}

// Tells one story of stories/ in a browser.
//
//   node customer.mjs URL SANDBOX CONTROL BROWSER STORY
import { story, tell } from "./stage.mjs";

await tell((await import(`./stories/${story}.mjs`)).default);

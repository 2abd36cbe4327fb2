/**
 * MCP Apps: tools with a user interface. The interface is a resource of HTML under `ui://` that the host shows in a
 * sandbox; the tool names it in its `_meta`. Only conveniences over `registerTool` and `registerResource` are here.
 */
import type { ClientCapabilities, MetaObject, ReadResourceResult } from '../protocol/types.js';
import type { McpServer } from './mcp.js';
import type {
  AnySchema,
  ReadResourceCallback,
  RegisteredResource,
  RegisteredTool,
  ResourceConfig,
  ToolCallback,
  ToolConfig,
} from './types.js';

/** The extension's name in `capabilities.extensions`. */
export const APPS_EXTENSION = 'io.modelcontextprotocol/ui';
/** What an app's HTML is served as. */
export const RESOURCE_MIME_TYPE = 'text/html;profile=mcp-app';
/** The key by which hosts from before `_meta.ui` find the resource. */
const FLAT_KEY = 'ui/resourceUri';
const SCHEME = 'ui://';

/** Who may see and call a tool: the model, the app itself, or both (default). */
export type AppToolVisibility = 'model' | 'app';

export interface AppToolMeta {
  /** The `ui://` resource to show. Absent for tools that only an app calls. */
  resourceUri?: string;
  visibility?: AppToolVisibility[];
}

/** Origins that the sandbox opens for an app; nothing is open by default. */
export interface AppCsp {
  /** For fetch, XHR and WebSocket. */
  connectDomains?: string[];
  /** For scripts, styles, images, fonts and media. */
  resourceDomains?: string[];
  /** For nested frames. */
  frameDomains?: string[];
  /** For the document's base URI. */
  baseUriDomains?: string[];
}

export interface AppResourceMeta {
  csp?: AppCsp;
  /** What the browser may be asked for; each an empty object. */
  permissions?: { camera?: object; microphone?: object; geolocation?: object; clipboardWrite?: object };
  /** An origin of its own, in the form that the host documents. */
  domain?: string;
  /** Whether the host is to draw a border. Default: as the host likes. */
  prefersBorder?: boolean;
}

export type AppToolConfig<I = AnySchema | undefined, O = AnySchema | undefined> = Omit<ToolConfig<I, O>, '_meta'> & {
  _meta: MetaObject & { ui: AppToolMeta };
};
export type AppResourceConfig = Omit<ResourceConfig, '_meta'> & { _meta?: MetaObject & { ui?: AppResourceMeta } };

/**
 * Registers a tool with a user interface, and declares the extension.
 * @param config `_meta.ui.resourceUri` names the resource, `_meta.ui.visibility` who may call the tool
 * @throws TypeError for a URI that is not under `ui://`, or an unknown visibility; otherwise as `registerTool`
 */
export function registerAppTool<
  I extends AnySchema | undefined = undefined,
  O extends AnySchema | undefined = undefined,
>(server: McpServer, name: string, config: AppToolConfig<I, O>, callback: ToolCallback<I, O>): RegisteredTool {
  const ui = config._meta?.ui ?? {};
  const { visibility } = ui;
  const resourceUri = ui.resourceUri ?? (config._meta?.[FLAT_KEY] as string | undefined);
  if (resourceUri !== undefined) checkUri(resourceUri, `tool "${name}"`);
  if (visibility !== undefined) checkVisibility(visibility, name);
  const named = resourceUri === undefined ? {} : { [FLAT_KEY]: resourceUri };
  const meta = { ...config._meta, ui: { ...ui, ...(resourceUri === undefined ? {} : { resourceUri }) }, ...named };
  const tool = server.registerTool(name, { ...config, _meta: meta } as ToolConfig<I, O>, callback);
  declareApps(server);
  return tool;
}

/**
 * Registers the HTML of an app, and declares the extension. The MIME type and `_meta.ui` are added to what is read unless
 * it brings its own.
 * @param html the document, or a callback that gives it as a resource
 * @throws TypeError for a URI that is not under `ui://`; otherwise as `registerResource`
 */
export function registerAppResource(
  server: McpServer,
  name: string,
  uri: string,
  config: AppResourceConfig,
  html: string | ReadResourceCallback,
): RegisteredResource {
  checkUri(uri, `resource "${name}"`);
  const { mimeType = RESOURCE_MIME_TYPE, _meta } = config;
  const ui = _meta?.ui;
  const complete = (result: ReadResourceResult): ReadResourceResult => ({
    ...result,
    contents: result.contents.map((content) => ({
      mimeType,
      ...content,
      ...(ui === undefined || content._meta?.ui !== undefined ? {} : { _meta: { ...content._meta, ui } }),
    })),
  });
  const read: ReadResourceCallback =
    typeof html === 'string'
      ? (url) => complete({ contents: [{ uri: url.href, text: html }] })
      : async (url, ctx) => {
          const result = await html(url, ctx);
          return Array.isArray(result?.contents) ? complete(result as ReadResourceResult) : result;
        };
  const resource = server.registerResource(name, uri, { ...config, mimeType } as ResourceConfig, read);
  declareApps(server);
  return resource;
}

/** What a client said of the extension: `undefined` when it shows no apps. */
export function appsCapability(capabilities: ClientCapabilities | undefined): { mimeTypes?: string[] } | undefined {
  return capabilities?.extensions?.[APPS_EXTENSION] as { mimeTypes?: string[] } | undefined;
}

function declareApps(server: McpServer): void {
  server.registerExtension(APPS_EXTENSION);
}

function checkUri(uri: unknown, of: string): void {
  if (typeof uri !== 'string' || !uri.startsWith(SCHEME) || !URL.canParse(uri)) {
    throw new TypeError(`The app of ${of} must be a URI under ${SCHEME}, not ${JSON.stringify(uri)}`);
  }
}

function checkVisibility(visibility: unknown, name: string): void {
  const good = Array.isArray(visibility) && visibility.every((who) => who === 'model' || who === 'app');
  if (!good || visibility.length === 0) {
    throw new TypeError(`The visibility of tool "${name}" must name "model", "app" or both`);
  }
}

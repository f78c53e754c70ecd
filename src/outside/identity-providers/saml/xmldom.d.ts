// The part of the DOM that is read here. The package's own types bring the browser's along, which are not the Worker's.

export type XmlNode = { readonly nodeType: number; readonly nextSibling: XmlNode | null };

export type XmlText = XmlNode & { readonly nodeType: 3; readonly data: string };

export type XmlElement = XmlNode & {
  readonly nodeType: 1;
  readonly namespaceURI: string | null;
  readonly nodeName: string;
  readonly localName: string;
  readonly firstChild: XmlNode | null;
  readonly parentNode: XmlNode | null;
  readonly attributes: { readonly length: number; item(index: number): XmlAttribute | null };
};

export type XmlAttribute = {
  readonly namespaceURI: string | null;
  readonly nodeName: string;
  readonly localName: string;
  readonly value: string;
};

type Report = (message: string) => void;

export class DOMParser {
  constructor(options: { locator: object; errorHandler: { warning: Report; error: Report; fatalError: Report } });
  parseFromString(xml: string, type: 'text/xml'): { readonly documentElement: XmlElement | null } | undefined;
}

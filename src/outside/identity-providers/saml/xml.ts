import type { NAMESPACE } from './markup.ts';
import { refuse } from './outcome.ts';
import { DOMParser, type XmlAttribute, type XmlElement, type XmlNode, type XmlText } from './xmldom.js';

export type { XmlElement } from './xmldom.js';

type Namespace = (typeof NAMESPACE)[keyof typeof NAMESPACE];

/** Deeper or larger documents are no SAML; libraries that recurse would run out of stack, and XPath out of time. */
const DEEPEST = 40;
const MOST_NODES = 5_000;

/** The root of a well-formed document; null for anything that the parser has a word to say about. */
export const parseXml = (xml: string): XmlElement | null => {
  let isFlawed = false;
  const note = () => {
    isFlawed = true;
  };
  try {
    const errorHandler = { warning: note, error: note, fatalError: note };
    const root = new DOMParser({ locator: {}, errorHandler }).parseFromString(xml, 'text/xml')?.documentElement ?? null;
    return isFlawed ? null : root;
  } catch {
    return null;
  }
};

/** The element and all below it, in document order; null when they nest too deep or, with attributes, are too many. */
export const listElements = (root: XmlElement): XmlElement[] | null => {
  const found: XmlElement[] = [];
  const pending = [{ element: root, depth: 1 }];
  let nodes = 0;
  for (let next = pending.pop(); next; next = pending.pop()) {
    found.push(next.element);
    nodes += 1 + next.element.attributes.length;
    if (next.depth > DEEPEST || nodes > MOST_NODES) return null;
    for (const child of childElements(next.element).reverse()) pending.push({ element: child, depth: next.depth + 1 });
  }
  return found;
};

export const isElementOf = (element: XmlElement | null, namespace: Namespace, name: string): element is XmlElement =>
  element !== null && element.namespaceURI === namespace && element.localName === name;

export const childElements = (element: XmlElement): XmlElement[] => childNodes(element).filter(isElement);

export const childrenOf = (element: XmlElement, namespace: Namespace, name: string): XmlElement[] =>
  childElements(element).filter((child) => isElementOf(child, namespace, name));

/** The one child of that name; null when there is none or a second. */
export const onlyChild = (element: XmlElement, namespace: Namespace, name: string): XmlElement | null => {
  const [child, ...others] = childrenOf(element, namespace, name);
  return child && others.length === 0 ? child : null;
};

/** The value of an attribute without namespace; null for a missing or an empty one. */
export const attributeOf = (element: XmlElement, name: string): string | null => {
  const attribute = attributesOf(element).find((each) => each.localName === name && !each.namespaceURI);
  return attribute?.value || null;
};

/** Whether a name has a prefix that nothing declares, which the parser lets pass. */
export const isNamedByNothing = (element: XmlElement): boolean =>
  [element, ...attributesOf(element)].some(({ nodeName, namespaceURI }) => nodeName.includes(':') && !namespaceURI);

/** Times are in UTC and say so (SAML Core, section 1.3.3). */
const UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** The time of an attribute in milliseconds; null for a missing one. Refuses what is no time. */
export const timeOf = (element: XmlElement, name: string): number | null => {
  const text = attributeOf(element, name);
  if (text === null) return null;
  const time = UTC.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? refuse('time') : time;
};

/** The text of an element, trimmed; null when it is empty or anything but text is in it, which could hide a part. */
export const textOf = (element: XmlElement): string | null => {
  const nodes = childNodes(element);
  if (!nodes.every(isText)) return null;
  const text = nodes
    .map(({ data }) => data)
    .join('')
    .trim();
  return text === '' ? null : text;
};

const attributesOf = ({ attributes }: XmlElement): XmlAttribute[] =>
  Array.from({ length: attributes.length }, (_, index) => attributes.item(index)).filter((each) => each !== null);

const childNodes = (element: XmlElement): XmlNode[] => {
  const nodes: XmlNode[] = [];
  for (let node = element.firstChild; node; node = node.nextSibling) nodes.push(node);
  return nodes;
};

const isElement = (node: XmlNode): node is XmlElement => node.nodeType === 1;

const isText = (node: XmlNode): node is XmlText => node.nodeType === 3;

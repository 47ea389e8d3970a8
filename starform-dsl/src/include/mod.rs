//! The files of a project: from the root file along `include`, each file once.
//! Pure. Depth first in the order of the text, matching files by path; what an `include` cannot mean is one diagnostic at it.
//! An included file holds children of the project at its top level.
//! Read on in `glob` for patterns and in `crate::lower` for what the nodes say.

mod glob;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use glob::{Glob, InvalidGlob};

use crate::compile::ROOT_FILE;
use crate::diag::{Diagnostic, codes};
use crate::source::{FileId, SourceTree, Span};
use crate::syntax::{Node, Nodes, Parse, Value};
use crate::table::{ProjectNode, RootNode};

const PROJECT: &str = RootNode::Project.as_str();
const INCLUDE: &str = ProjectNode::Include.as_str();

/// Files in a row, each included by the one before; the root file is not counted.
pub(crate) const DEEPEST: usize = 10;
/// Files of a project besides the root file.
pub const MOST_FILES: usize = 1_000;
/// `include` nodes of a project.
pub(crate) const MOST_INCLUDES: usize = 100;

/// The files of one project.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) root: FileId,
    pub(crate) parses: BTreeMap<FileId, Arc<Parse>>,
    /// What each `include` brings in, by its place.
    includes: BTreeMap<Span, Vec<FileId>>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// The patterns of every `include` that the tree's files hold, beginning at `root`. Who reads files
/// asks again with each new one, until there is nothing new.
pub fn wanted(sources: &SourceTree) -> BTreeSet<Glob> {
    let Some(root) = sources.find(ROOT_FILE) else {
        return BTreeSet::new();
    };
    let files = gather(sources, root);
    files
        .parses
        .iter()
        .flat_map(|(id, parse)| includes(&parse.cst.nodes(), *id == root))
        .map(|include| include.glob)
        .collect()
}

/// Reads the root file and all that it includes.
pub(crate) fn gather(sources: &SourceTree, root: FileId) -> Files {
    let mut walk = Walk {
        sources,
        files: Files {
            root,
            parses: BTreeMap::new(),
            includes: BTreeMap::new(),
            diagnostics: Vec::new(),
        },
        firsts: BTreeMap::new(),
        stack: Vec::new(),
        count: 0,
    };
    walk.open(root);
    while let Some(open) = walk.stack.last_mut() {
        if let Some(next) = open.files.pop() {
            walk.open(next);
        } else if let Some(include) = open.includes.pop() {
            open.at = Some(include.argument);
            walk.follow(&include);
        } else {
            walk.stack.pop();
        }
    }
    walk.files
}

impl Files {
    /// The children of the project that begins at `nodes`, each `include` followed by what it brings in.
    pub(crate) fn expand<'a>(&'a self, nodes: Nodes<'a>) -> Vec<Node<'a>> {
        let mut expanded = Vec::new();
        let mut open = vec![(nodes, Vec::new().into_iter())];
        while let Some((nodes, files)) = open.last_mut() {
            if let Some(file) = files.next() {
                let parse = self.parses.get(&file);
                open.extend(parse.map(|parse| (parse.cst.nodes(), Vec::new().into_iter())));
            } else if let Some(node) = nodes.next() {
                if node.name() == INCLUDE
                    && let Some(included) = self.includes.get(&node.head_span())
                {
                    *files = included.clone().into_iter();
                }
                // Reported where files are gathered.
                if node.name() != PROJECT || open.len() == 1 {
                    expanded.push(node);
                }
            } else {
                open.pop();
            }
        }
        expanded
    }
}

/// One `include` that is written right.
struct Include {
    glob: Glob,
    /// Of the node.
    span: Span,
    /// Of the pattern.
    argument: Span,
}

/// A file whose includes are being followed.
struct Open {
    file: FileId,
    /// Last first.
    includes: Vec<Include>,
    /// What the include at hand brings in, last first.
    files: Vec<FileId>,
    /// The include at hand.
    at: Option<Span>,
}

struct Walk<'s> {
    sources: &'s SourceTree,
    files: Files,
    /// The include that brought a file in.
    firsts: BTreeMap<FileId, Span>,
    stack: Vec<Open>,
    count: usize,
}

impl Walk<'_> {
    fn open(&mut self, file: FileId) {
        let parse = Arc::clone(self.sources.parse(file));
        let mut includes = includes(&parse.cst.nodes(), file == self.files.root);
        includes.reverse();
        if file != self.files.root {
            let projects = parse.cst.nodes().filter(|node| node.name() == PROJECT);
            let found: Vec<Diagnostic> = projects.map(|node| self.second_project(node)).collect();
            self.files.diagnostics.extend(found);
        }
        self.files.parses.insert(file, parse);
        self.stack.push(Open {
            file,
            includes,
            files: Vec::new(),
            at: None,
        });
    }

    /// Finds the files of an include and puts those that may be read on the stack.
    fn follow(&mut self, include: &Include) {
        self.count += 1;
        if self.count > MOST_INCLUDES {
            if self.count == MOST_INCLUDES + 1 {
                self.too_many(include, "`include` nodes", MOST_INCLUDES);
            }
            return;
        }
        let found: Vec<FileId> = self
            .sources
            .files()
            .filter(|(_, file)| include.glob.matches(file.path()))
            .map(|(id, _)| id)
            .collect();
        let wrong = self.wrong(include, &found);
        if let Some(diagnostic) = wrong {
            self.report(diagnostic);
        }
        let mut fresh: Vec<FileId> = found
            .into_iter()
            .filter(|file| *file != self.files.root && !self.firsts.contains_key(file))
            .collect();
        if self.stack.len() > DEEPEST {
            return;
        }
        if self.firsts.len() + fresh.len() > MOST_FILES {
            self.too_many(include, "included files", MOST_FILES);
            return;
        }
        for file in &fresh {
            self.firsts.insert(*file, include.argument);
        }
        self.files.includes.insert(include.span, fresh.clone());
        fresh.reverse();
        if let Some(open) = self.stack.last_mut() {
            open.files = fresh;
        }
    }

    /// What cannot be meant, at most one thing.
    fn wrong(&self, include: &Include, found: &[FileId]) -> Option<Diagnostic> {
        if found.is_empty() {
            return Some(self.nothing(include));
        }
        let is_open = |file: &FileId| self.stack.iter().position(|open| open.file == *file);
        if let Some((file, at)) = found.iter().find_map(|file| Some((*file, is_open(file)?))) {
            return Some(self.cycle(include, file, at));
        }
        let again = |file: &FileId| Some((*file, *self.firsts.get(file)?));
        if let Some((file, first)) = found.iter().find_map(again) {
            let path = self.sources.file(file).path();
            let diagnostic = Diagnostic::new(
                codes::INCLUDED_TWICE,
                include.argument,
                format!("`{path}` is included twice"),
            );
            return Some(
                diagnostic
                    .label("second")
                    .also(first, "first")
                    .help("let only one of the two patterns name it"),
            );
        }
        (self.stack.len() > DEEPEST).then(|| {
            let title = format!("files include each other more than {DEEPEST} deep");
            Diagnostic::new(codes::INCLUDED_TOO_DEEP, include.argument, title)
                .help(format!("include the files from `{ROOT_FILE}` instead"))
        })
    }

    /// A project that lacks what it means to include would be deployed without it, so nothing found is an error.
    fn nothing(&self, include: &Include) -> Diagnostic {
        let root = self.sources.file(self.files.root).path();
        let help = if root == ROOT_FILE {
            format!("patterns begin in the folder of `{ROOT_FILE}`: mend it, or take it out")
        } else {
            format!("only `{ROOT_FILE}` includes other files: give `{root}` that name")
        };
        let title = format!("`{}` names no file", include.glob);
        Diagnostic::new(codes::INCLUDES_NOTHING, include.argument, title).help(help)
    }

    /// `file` is the `at`th open file; every include from there on is a step of the circle.
    fn cycle(&self, include: &Include, file: FileId, at: usize) -> Diagnostic {
        let path = |file: FileId| self.sources.file(file).path();
        let steps = &self.stack[at..];
        let title = if steps.len() == 1 {
            format!("`{}` includes itself", path(file))
        } else {
            format!("`{}` includes itself through other files", path(file))
        };
        let mut diagnostic = Diagnostic::new(codes::INCLUDE_CYCLE, include.argument, title)
            .label(format!("includes `{}` again", path(file)))
            .help("let the pattern name only files that are not open already, such as those of a folder of their own");
        for (step, next) in steps.iter().zip(steps.iter().skip(1)) {
            if let Some(span) = step.at {
                diagnostic = diagnostic.also(span, format!("includes `{}`", path(next.file)));
            }
        }
        diagnostic
    }

    fn second_project(&self, node: Node<'_>) -> Diagnostic {
        let first = self.files.parses.get(&self.files.root);
        let first = first.and_then(|parse| parse.cst.nodes().find(|node| node.name() == PROJECT));
        let span = node.head_span();
        let diagnostic = Diagnostic::new(codes::SECOND_PROJECT, span, "a second project")
            .label("in an included file");
        let diagnostic = match first {
            Some(first) => diagnostic.also(first.head_span(), "the project"),
            None => diagnostic,
        };
        diagnostic.help("take `project NAME {` and its `}` away: an included file holds environments, services and so on at its top level")
    }

    fn too_many(&mut self, include: &Include, what: &str, most: usize) {
        let title = format!("more than {most} {what}");
        let help = "divide the project, or put more into one file";
        let diagnostic = Diagnostic::new(codes::TOO_MANY_OF_ONE_THING, include.argument, title);
        self.report(diagnostic.help(help));
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        let diagnostic = diagnostic.node_path("project.include");
        self.files.diagnostics.push(diagnostic);
    }
}

/// In the order of the text. What is written wrong is reported where the node meets its row.
fn includes(top: &Nodes<'_>, is_root: bool) -> Vec<Include> {
    let project = || top.clone().find(|node| node.name() == PROJECT);
    let children = if is_root {
        project().and_then(Node::children)
    } else {
        Some(top.clone())
    };
    children
        .into_iter()
        .flatten()
        .filter(|node| node.name() == INCLUDE)
        .filter_map(|node| {
            let mut entries = node.entries();
            let argument = entries.next()?;
            let plain = argument.is_arg() && argument.ty().is_none() && node.children().is_none();
            if !plain || entries.next().is_some() {
                return None;
            }
            let Value::String(text) = argument.value() else {
                return None;
            };
            Some(Include {
                glob: text.parse().ok()?,
                span: node.head_span(),
                argument: argument.value_span(),
            })
        })
        .collect()
}

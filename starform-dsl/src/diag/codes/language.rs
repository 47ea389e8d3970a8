//! Codes 2xxx to 6xxx that schema, references, environments and values raise.
//! Pure. Numbers are never reused; 5001 to 5009 belong to the limits in `syntax`.
//! Read on in `super` for the form of a row.

codes! { LANGUAGE;
    2001 NO_PROJECT Error "no project"
        "`starform.kdl` at the top of the repository holds exactly one node: `project NAME { … }`.";
    2002 SECOND_PROJECT Error "second project"
        "One repository file describes one project.";
    2003 MISPLACED_NODE Error "node in the wrong place"
        "The node exists, but it belongs elsewhere.";
    2004 UNKNOWN_NODE Error "unknown node"
        "The language knows a fixed set of nodes, so that a misspelt one is never silently without effect. Nodes that begin with `x-` are left to other tools.";
    2005 UNKNOWN_PROPERTY Error "unknown property"
        "A node takes the properties that its reference names and no others.";
    2006 MISSING_ARGUMENT Error "missing argument"
        "The node says nothing without it.";
    2007 EXTRA_ARGUMENT Error "argument too many"
        "The node takes fewer arguments. Several things of a kind are several nodes, or one node where the reference shows `…`.";
    2008 WRONG_TYPE Error "value of another type"
        "Text, whole numbers and `#true`/`#false` are different things in KDL; each place takes one of them.";
    2009 MISSING_PROPERTY Error "missing property"
        "The property has no default.";
    2010 DUPLICATE_NODE Error "node given twice"
        "The node has one meaning per service or environment, so it stands once per block.";
    2011 DUPLICATE_PROPERTY Error "property given twice"
        "KDL would let the last one win; Starform asks which one is meant.";
    2012 UNEXPECTED_BLOCK Error "block where none belongs"
        "The node takes arguments and properties only.";
    2014 WRONG_KIND Error "node that this kind of service does not have"
        "What has no ports has no health check by default and no domain; what runs on a schedule has no scale.";
    2015 DUPLICATE_NAME Error "name used twice"
        "Services of all kinds share one set of names; environments, var-groups and partials have one each.";
    2016 UNEXPECTED_ANNOTATION Error "type annotation where none belongs"
        "Only a variable's value takes one: `(ref)` or `(template)`.";
    2017 MISSING_NODE Error "missing node"
        "The service or project cannot be without it.";
    2018 DUPLICATE_VARIABLE Error "variable given twice"
        "A block of variables holds each key once.";
    2019 CONFLICTING_NODES Error "nodes that exclude each other"
        "Both say the same thing in different ways; only one can hold.";
    2020 EMPTY_NODE Error "node that says nothing"
        "Without any of its properties the node would have no effect.";
    3001 UNKNOWN_SERVICE Error "unknown service"
        "The project has no service of this name.";
    3002 UNKNOWN_OUTPUT Error "unknown output"
        "Web and private services have `host`, `port`, `hostport` and `private-url`; web services also `public-host` and `public-url`. Workers and cron jobs are not reached, so they have none.";
    3003 UNKNOWN_GROUP Error "unknown var-group"
        "The project has no var-group of this name.";
    3004 UNKNOWN_ENVIRONMENT Error "unknown environment"
        "The project has no environment of this name.";
    3005 UNKNOWN_PARTIAL Error "unknown partial"
        "The project has no partial of this name.";
    3006 SERVICE_NOT_IN_ENVIRONMENT Error "service does not exist in that environment"
        "A reference is resolved inside its own environment, so what it names must exist there.";
    3007 BAD_REFERENCE Error "not a reference"
        "A reference is `SERVICE.OUTPUT`, or `self.OUTPUT` for the service's own.";
    3008 BAD_TEMPLATE Error "not a template"
        "In a template `{SERVICE.OUTPUT}` puts in an output; literal braces are written twice.";
    3009 SELF_IN_GROUP Error "`self` in a var-group"
        "Several services may use the group, so it cannot speak of one of them.";
    3010 GROUPS_DIFFER Warning "var-groups give different values"
        "Of the groups that a service uses, the later one wins. The service's own `vars` can say which value is meant.";
    4001 RESERVED_ENVIRONMENT Error "reserved name of an environment"
        "`preview` and `pr-NUMBER` belong to preview environments.";
    4002 OVERLAPPING_IN Error "two `in` blocks with the same child for one environment"
        "Which of the two would hold for the environment is not said.";
    4003 NOWHERE Error "service exists in no environment"
        "`only` and `not-in` leave nothing over.";
    4004 IN_WITHOUT_EFFECT Warning "`in` without effect"
        "The service does not exist in that environment, so what the block says is never used.";
    4005 ENVIRONMENT_TWICE Error "environment named twice"
        "Naming an environment again has no effect.";
    5010 BAD_NAME Error "not a valid name"
        "Names become parts of Kubernetes names, so they follow the rules for those, with room for what is added.";
    5011 BAD_AMOUNT Error "not a valid amount"
        "Durations are whole numbers with `s`, `m`, `h` or `d`; CPU is in cores or thousandths; memory has a unit.";
    5012 OUT_OF_RANGE Error "value out of range"
        "The value lies outside of what makes sense or of what Kubernetes takes.";
    5013 NOT_ONE_OF Error "not one of the known words"
        "The place takes one of a few words.";
    5014 BAD_HOST Error "not a valid host"
        "Hosts are lower-case DNS names without scheme, port or path; a wildcard is the whole first label.";
    5015 HOST_TAKEN Error "host used twice"
        "A host leads to one service of one environment.";
    5016 BAD_SCHEDULE Error "not a valid schedule"
        "A schedule has the five fields that Kubernetes reads: minute, hour, day of month, month, day of week (0–6, Sunday is 0).";
    5017 BAD_TIME_ZONE Error "unknown time zone"
        "Time zones go by their IANA names, such as `Europe/Lisbon`.";
    5018 BAD_COMMAND Error "not a plain command"
        "No shell reads the command, so it holds words and quotes only. `run \"sh\" \"-c\" \"…\"` asks for a shell.";
    5019 BAD_VARIABLE_NAME Error "not the name of a variable"
        "Names of variables hold letters, digits and `_` and do not begin with a digit.";
    5020 RESERVED_VARIABLE Error "reserved variable"
        "`PORT` and everything that begins with `STARFORM_` is set by the platform.";
    5021 CREDENTIAL Error "literal that looks like a credential"
        "What stands in the file is in the history of the repository, in plans and in the cluster's objects for everyone to read.";
    5022 BAD_IMAGE Error "not an image"
        "An image is `[REGISTRY/]NAME[:TAG][@sha256:…]`.";
    5023 IMAGE_NOT_PINNED Warning "image is not pinned"
        "A tag can be moved to another image, which would then run without a plan having shown it. A digest cannot.";
    5024 MIN_OVER_MAX Error "`min` is greater than `max`"
        "A range goes from the smaller to the greater number.";
    5025 FIRST_PORT_TCP Error "first port of a web service is tcp"
        "The first port is the one that the outside reaches, by HTTP.";
    5026 DUPLICATE_PORT Error "port used twice"
        "Each port of a service has its own number and its own name.";
    5027 PORT_WITHOUT_NAME Error "port without a name"
        "Where a service has several ports, each has a name.";
    5028 TOO_MANY_SERVICES Error "more than 1 000 services"
        "A project has at most 1 000 services.";
    5029 TOO_MANY_INSTANCES_OF_SERVICES Error "more than 2 000 services over all environments"
        "Services times the environments that they exist in is at most 2 000.";
    5030 PROJECT_TOO_LARGE Error "project is larger than 8 MiB"
        "All files of a project together have at most 8 MiB.";
    5031 NUMBER_NEEDS_QUOTES Error "number that must be quoted"
        "A variable is text. Of numbers only plain decimal ones are taken over as they are written.";
    5032 BAD_PATH Error "not a path of a URL"
        "A path begins with `/` and has no host, no white space and no fragment.";
    5033 PROBE_DOES_NOT_FIT Error "health check that cannot work"
        "An HTTP check needs a port that speaks HTTP, and every check needs a port to ask.";
    5034 TOO_MANY_ENVIRONMENTS Error "more than 100 environments"
        "A project has at most 100 environments.";
    5035 TOO_MANY_OF_ONE_THING Error "more of one thing than fits"
        "A service has at most 100 ports, domains, aliases, var-groups and `in` blocks each, and 1 000 variables; a var-group has at most 1 000 variables.";
    6001 NOT_AVAILABLE Error "not available in this version"
        "The language reserves it; this version of Starform does not do it yet, so it is refused instead of being without effect.";
    6002 UNKNOWN_CONTRACT Error "contract of another version"
        "The file is written for a version of the language's meaning that this Starform does not know.";
    9001 INTERNAL Error "internal error"
        "This should not happen: please report it with the file that shows it.";
}

//! Codes 2xxx to 6xxx that schema, references, environments and values raise.
//! Pure. Numbers are never reused; 5001 to 5009 belong to the limits in `syntax`.
//! Read on in `super` for the form of a row.

codes! { LANGUAGE;
    2001 NO_PROJECT Error "no project"
        "`starform.kdl` at the top of the repository holds exactly one node: `project NAME { … }`. This file has none.";
    2002 SECOND_PROJECT Error "second project"
        "One repository file describes one project.";
    2003 MISPLACED_NODE Error "node in the wrong place"
        "The node exists in the language, but not in the block where it stands.";
    2004 UNKNOWN_NODE Error "unknown node"
        "The language knows a fixed set of nodes, so that a misspelt one is never silently without effect. Nodes that begin with `x-` are left to other tools.";
    2005 UNKNOWN_PROPERTY Error "unknown property"
        "A node takes the properties that its reference names and no others.";
    2006 MISSING_ARGUMENT Error "missing argument"
        "The node lacks the argument that says what it is about.";
    2007 EXTRA_ARGUMENT Error "argument too many"
        "The node takes fewer arguments than were given.";
    2008 WRONG_TYPE Error "value of another type"
        "The value is of another type than this place takes: a text, a number, and `#true` or `#false` are different things in KDL.";
    2009 MISSING_PROPERTY Error "missing property"
        "The node lacks a property that has no default.";
    2010 DUPLICATE_NODE Error "node given twice"
        "The node stands twice in one block, and only one can hold.";
    2011 DUPLICATE_PROPERTY Error "property given twice"
        "The property stands twice on one node.";
    2012 UNEXPECTED_BLOCK Error "block where none belongs"
        "The node takes arguments and properties, but no block of children.";
    2014 WRONG_KIND Error "node that this kind of service does not have"
        "This kind of service does not have the node: workers and cron jobs are not reached by others, private services have no public host, and a cron job runs on its schedule alone.";
    2015 DUPLICATE_NAME Error "name used twice"
        "Two declarations of the same sort have one name. Services of all kinds share one set of names; environments, var-groups and partials have one each.";
    2016 UNEXPECTED_ANNOTATION Error "type annotation where none belongs"
        "A type annotation stands where none belongs. Only the value of a variable takes one, such as `(ref)` or `(secret)`.";
    2017 MISSING_NODE Error "missing node"
        "A service or the project lacks a node that it cannot be without.";
    2018 DUPLICATE_VARIABLE Error "variable given twice"
        "One block of variables holds a key twice.";
    2019 CONFLICTING_NODES Error "nodes that exclude each other"
        "Two things exclude each other because they answer the same question in different ways.";
    2020 EMPTY_NODE Error "node that says nothing"
        "The node has none of its properties, so it would change nothing.";
    2021 INCLUDES_NOTHING Error "`include` that names no file"
        "The pattern of an `include` fits no file of the repository.";
    2022 INCLUDED_TWICE Error "file included twice"
        "Two `include` nodes name one file, so everything in it would be declared twice.";
    2023 INCLUDE_CYCLE Error "file that includes itself"
        "A file includes itself, at once or through others.";
    2024 INCLUDED_TOO_DEEP Error "files included more than 10 deep"
        "More than ten files stand in a row, each included by the one before.";
    2025 WITHOUT_EFFECT Warning "node without effect"
        "The node or property says something about what the service does not do.";
    2026 NOT_OF_ITS_KIND Error "name that is not of its kind"
        "A service goes by its name, a volume by the name of its service, a point, and its own: the word before says one and the name the other.";
    2027 NO_DATA_TO_DESTROY Error "data that there is not"
        "`removed` destroys the data of something that never holds any.";
    2028 UNREADABLE Error "file that cannot be read"
        "A file of the project, or a folder that an `include` looks through, cannot be read: it is no UTF-8 text, a folder in place of a file, a link that leads out of the project, or more than is read.";
    3001 UNKNOWN_SERVICE Error "unknown service"
        "The project has no service of this name.";
    3002 UNKNOWN_OUTPUT Error "unknown output"
        "The service has no such output. Web and private services have `host`, `port`, `hostport` and `private-url`; web services also `public-host` and `public-url`. Workers and cron jobs are not reached, so they have none.";
    3003 UNKNOWN_GROUP Error "unknown var-group"
        "The project has no var-group of this name.";
    3004 UNKNOWN_ENVIRONMENT Error "unknown environment"
        "The project has no environment of this name.";
    3005 UNKNOWN_PARTIAL Error "unknown partial"
        "The project has no partial of this name.";
    3006 SERVICE_NOT_IN_ENVIRONMENT Error "service does not exist in that environment"
        "A reference is resolved inside its own environment, and there the service that it names does not exist.";
    3007 BAD_REFERENCE Error "not a reference"
        "A reference is `SERVICE.OUTPUT`, or `self.OUTPUT` for the service's own.";
    3008 BAD_TEMPLATE Error "not a template"
        "The braces of a template do not match. In a template `{SERVICE.OUTPUT}` puts in an output; literal braces are written twice.";
    3009 SELF_IN_GROUP Error "`self` in a var-group"
        "Several services may use the group, so it cannot speak of one of them.";
    3010 GROUPS_DIFFER Warning "var-groups give different values"
        "Two var-groups that a service uses give one key different values; the later group wins.";
    3011 IMAGE_CIRCLE Error "image taken in a circle"
        "`image-of` leads back to the service itself, so nothing names an image.";
    3012 WAS_ITSELF Error "service that was itself"
        "`was` names the service itself, so nothing was renamed.";
    3013 WAS_DECLARED Error "`was` names something that is declared"
        "`was` is the name that a service had before. A name that a service has now is no former one, also where that service was renamed to it.";
    3014 WAS_TWICE Error "two services with one former name"
        "Two services name the same service as what they were, and only one can go on as it.";
    3015 REMOVED_DECLARED Error "removed and declared"
        "`removed` names a service that is declared, so the file says both that it is gone and that it is there.";
    3016 REMOVED_TWICE Error "removed twice"
        "Two `removed` nodes name the same thing.";
    3017 REMOVED_RENAMED Error "removed and renamed"
        "`removed` names a service that goes on under another name, because a service names it with `was`.";
    3018 LOOKS_LIKE_REFERENCE Warning "text that looks like a reference"
        "The value holds the name of a service's output in braces, but is taken as it is written: only in a `(template)` does `{SERVICE.OUTPUT}` put in an output, without `$` and with one brace.";
    3019 NOT_LET_IN Warning "reference to a service that does not let this one in"
        "The service that is named lists with `allow-from` who may reach it, and this one is not among them.";
    3020 REMOVED_OF_BEFORE Warning "removed volume that is declared again"
        "`removed` names a volume that is declared. The declared one stays; the word is about one that an earlier service of this name left behind.";
    4001 RESERVED_ENVIRONMENT Error "reserved name of an environment"
        "`preview` and `pr-NUMBER` belong to preview environments.";
    4002 OVERLAPPING_IN Error "two `in` blocks with the same child for one environment"
        "Two `in` blocks give the same child, or the same variable, for one environment.";
    4003 NOWHERE Error "service exists in no environment"
        "The service exists in no environment, because `only` and `not-in` leave none over.";
    4004 IN_WITHOUT_EFFECT Warning "`in` without effect"
        "The block is for an environment in which the service does not exist, so it is never used.";
    4005 ENVIRONMENT_TWICE Error "environment named twice"
        "One list names an environment twice.";
    4006 NO_PREVIEW Error "no preview environments"
        "Something is said of `preview`, but the project declares no `preview` node.";
    4007 INHERITS_PROTECTED Error "previews with the secrets of a protected environment"
        "Previews inherit the secrets of the environment that they are from, and that one is protected.";
    5010 BAD_NAME Error "not a valid name"
        "Names become parts of Kubernetes names, so they follow the rules for those, with room for what Starform adds.";
    5011 BAD_AMOUNT Error "not a valid amount"
        "The amount is not written in the unit's form: durations are whole numbers with `s`, `m`, `h` or `d`; CPU is in cores or thousandths; memory has a unit.";
    5012 OUT_OF_RANGE Error "value out of range"
        "The value lies outside of the range that makes sense here or that Kubernetes takes.";
    5013 NOT_ONE_OF Error "not one of the known words"
        "The place takes one of a few words, and this is none of them.";
    5014 BAD_HOST Error "not a valid host"
        "A host is a lower-case DNS name without scheme, port or path; a wildcard is the whole first label.";
    5015 HOST_TAKEN Error "host used twice"
        "A host leads to one service of one environment, and this one would lead to two.";
    5016 BAD_SCHEDULE Error "not a valid schedule"
        "A schedule has the five fields that Kubernetes reads: minute, hour, day of month, month, day of week (0–6, Sunday is 0).";
    5017 BAD_TIME_ZONE Error "unknown time zone"
        "Time zones go by their IANA names, such as `Europe/Lisbon`, and this is none of them.";
    5018 BAD_COMMAND Error "not a plain command"
        "No shell reads the command, so it holds words and quotes only. `run \"sh\" \"-c\" \"…\"` asks for a shell.";
    5019 BAD_VARIABLE_NAME Error "not the name of a variable"
        "The name of a variable holds letters, digits and `_` and does not begin with a digit.";
    5020 RESERVED_VARIABLE Error "reserved variable"
        "`PORT`, and every name that begins with `STARFORM_`, is set by the platform.";
    5021 CREDENTIAL Error "literal that looks like a credential"
        "The value of this variable, or this argument of `run` or `release`, looks like a credential. What stands in the file is in the history of the repository, in plans and in the cluster's objects for everyone to read.";
    5022 BAD_IMAGE Error "not an image"
        "An image is `[REGISTRY/]NAME[:TAG][@sha256:…]`.";
    5023 IMAGE_NOT_PINNED Warning "image is not pinned"
        "The image is named by a tag alone. A tag can be moved to another image, which would then run without a plan having shown it; a digest cannot.";
    5024 MIN_OVER_MAX Error "`min` is greater than `max`"
        "A range goes from the smaller to the greater number.";
    5025 FIRST_PORT_TCP Error "first port of a web service is tcp"
        "The first port of a web service is the one that the outside reaches, by HTTP, so it cannot be tcp.";
    5026 DUPLICATE_PORT Error "port used twice"
        "Two ports of one service have the same number or the same name.";
    5027 PORT_WITHOUT_NAME Error "port without a name"
        "A service with several ports has one without a name.";
    5028 TOO_MANY_SERVICES Error "more than 1 000 services"
        "A project has at most 1 000 services.";
    5029 TOO_MANY_INSTANCES_OF_SERVICES Error "more than 2 000 services over all environments"
        "Services times the environments that they exist in is at most 2 000.";
    5030 PROJECT_TOO_LARGE Error "project is larger than 8 MiB"
        "All files of a project together have at most 8 MiB.";
    5031 NUMBER_NEEDS_QUOTES Error "number that must be quoted"
        "A variable is text. Of numbers only plain decimal ones are taken over as they are written.";
    5032 BAD_PATH Error "not a path of a URL"
        "A path of a URL begins with `/` and has no host, no white space and no fragment.";
    5033 PROBE_DOES_NOT_FIT Error "health check that cannot work"
        "The health check cannot work: an HTTP check needs a port that speaks HTTP, and every check needs a port to ask.";
    5034 TOO_MANY_ENVIRONMENTS Error "more than 100 environments"
        "A project has at most 100 environments.";
    5035 TOO_MANY_OF_ONE_THING Error "more of one thing than fits"
        "A project has at most 1 000 var-groups and 1 000 partials; a service has at most 100 ports, domains, aliases, var-groups and `in` blocks each, and 1 000 variables; a var-group has at most 1 000 variables.";
    5036 BAD_GLOB Error "not a pattern of files"
        "The pattern of an `include` is none, or it names files that do not belong to the project.";
    5037 BAD_FILE_PATH Error "not a path of a file or folder"
        "A path of the repository is not relative or leads out of it, or a folder of a container is not absolute.";
    5038 BAD_LOCATION Error "not a place to send callers to"
        "A redirect leads neither to a path of the same host nor to an `http` or `https` URL.";
    5039 VOLUME_NEEDS_ONE Error "volume on a service with several instances"
        "A service with a volume has, or may have, more than one instance.";
    5040 VOLUMES_CLASH Error "volumes that stand in one another"
        "Two volumes of a service have one name or one folder, or one stands inside another.";
    5041 ROUTE_TAKEN Error "path used twice"
        "Two routes, or two redirects, hold one path of one host.";
    5042 REDIRECT_CIRCLE Error "redirect that leads back to itself"
        "A redirect leads to its own path, at once or through others.";
    5043 METRICS_DO_NOT_FIT Error "metrics that cannot be read"
        "Metrics are read with GET from a port of the service, and this port is none or speaks something else.";
    5044 NEVER_DUE Warning "schedule that never comes"
        "No month that the schedule names has a day that it names, so the cron job never runs.";
    6001 NOT_AVAILABLE Error "not available in this version"
        "The language reserves it; this version of Starform does not do it yet, so it is refused instead of being without effect.";
    6002 UNKNOWN_CONTRACT Error "contract of another version"
        "The file is written for a contract, a version of the language's meaning, that this Starform does not know.";
    6003 CHECKED_ONLY Warning "checked but not deployed by this version"
        "The node is known and checked in full, but this version of Starform does not carry it into the cluster yet; a plan refuses the environment or the service.";
    6004 NOT_DEPLOYED Error "not deployed by this version"
        "An environment or a service that is to be deployed has a node or a value that this version of Starform does not carry into the cluster.";
    6005 IMAGE_NOT_GIVEN Error "no image is given for a service that is built"
        "A service is built from the repository, and no image of it was given; this version of Starform builds none.";
    6006 NO_IMAGE Warning "service without an image"
        "Neither `image` nor `image-of` says what a service runs, so it is built from the repository; this version of Starform leaves the building to others.";
    9001 INTERNAL Error "internal error"
        "This should not happen: please report it with the file that shows it.";
    9002 MEANING_CHANGED Error "formatting would change what the file says"
        "The formatter reads its own output and gives it out only where it says the same as the file did. Here it did not, so the file was left alone.";
}

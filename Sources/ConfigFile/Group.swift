package import Backends
package import Routing
package import Settings

extension Configuration {
    /// `[group.NAME]`.
    package struct Group: Equatable, Sendable {
        /// What the registry acts on; `name` is the group's.
        package var policy: GroupPolicy
        /// What its processes run; nil: external servers.
        package var launch: Launch?
        /// How often a request is tried again where that is allowed.
        package var retries = 1
        /// Whether idle connections to its processes are kept.
        package var keepalive = true
        /// Longer requests are answered 504 and their process is recycled; nil: none is too long.
        package var requestTimeout: Interval?
        /// How its processes are asked whether they are well; nil: they are not.
        package var health: HealthPolicy?
        /// Where the files of authorities stand that servers are verified by.
        package var authorityLocations: [ProcessAddress: FileLocation] = [:]
        /// What its routes begin with.
        package var affinity: Affinity
        /// The same.
        package var timeouts: RouteTimeouts
        /// Its own pages, by status.
        package var errors: [ErrorFile] = []

        package var name: String { policy.name }
        /// External servers; none of a group whose processes are started.
        package var servers: [ServerEndpoint] {
            if case .external(let servers) = policy.kind { servers } else { [] }
        }
    }

    /// What the processes of a group run, and where.
    package struct Launch: Equatable, Sendable {
        package var application = Application.command([])
        /// Whether `processes` was given: the application is told that it has siblings
        /// (`wsgi.multiprocess`), even when it is 1.
        package var processesGiven = false
        /// The working directory, absolute.
        package var directory: String
        /// Added to the clean base environment.
        package var environment: [String: String] = [:]
        /// Names that are taken over from Mooring's own environment.
        package var passEnvironment: [String] = []
        package var isolation = Isolation()
        package var onExit = OnExit.adopt
        /// The file that their output goes to instead of the log, absolute; nil: the log.
        package var outputFile: String?
        /// Bytes of memory above which a process is recycled; 0: no limit.
        package var maxMemory = 0
    }

    /// The program of a spawned group.
    package enum Application: Equatable, Sendable {
        /// A file with `application`, or `package.module:name`; relative to the working directory.
        case wsgi(String, server: Server, python: String)
        /// Program and arguments, with placeholders.
        case command([String])
    }

    /// What serves a WSGI application.
    package enum Server: String, Equatable, Sendable, CaseIterable {
        /// The first installed of those that follow.
        case auto
        case granian
        case gunicorn
        case waitress
        /// The standard library's.
        case wsgiref
    }

    /// A route: where it applies, where it leads, and how its sessions are held.
    package struct RouteSettings: Equatable, Sendable {
        package var pattern: RoutePattern
        /// The place of the group in `groups`.
        package var group: Int
        package var stripPrefix = false
        package var affinity: Affinity
        package var timeouts: RouteTimeouts
        /// Added to responses, over the listener's.
        package var headers: [Field] = []
        /// The group's pages, and its own over them.
        package var errors: [ErrorFile] = []
    }
}

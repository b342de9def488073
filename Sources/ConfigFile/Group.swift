package import Backends
package import Routing
package import Settings

extension Configuration {
    /// `[group.NAME]`.
    package struct Group: Equatable, Sendable {
        /// The registry's settings; `name` is the group's.
        package var policy: GroupPolicy
        /// How its processes are started; nil: external servers.
        package var launch: Launch?
        /// Retries of a request on another process, where a retry is safe.
        package var retries = 1
        /// Whether idle connections to its processes are kept.
        package var keepalive = true
        /// How its processes are spoken to.
        package var upstreamProtocol = UpstreamProtocol.http
        /// The FastCGI settings of its processes.
        package var fastCGI = FastCGIPolicy()
        /// Longer requests get 504 and their process is recycled; nil: no limit.
        package var requestTimeout: Interval?
        /// Health checks of its processes or servers; nil: none.
        package var health: HealthPolicy?
        /// Positions of the `ca` keys in `servers`.
        package var authorityLocations: [ProcessAddress: FileLocation] = [:]
        /// The defaults of its routes.
        package var affinity: Affinity
        /// The defaults of its routes.
        package var timeouts: RouteTimeouts
        /// Error pages by status.
        package var errors: [ErrorFile] = []

        /// Sent as `Host` instead of the client's; empty: the client's.
        package var hostHeader = ""

        package var name: String { policy.name }
        /// The health checks as they are made: with the `Host` that requests have.
        package var checkedHealth: HealthPolicy? {
            var health = health
            if health?.host.isEmpty == true { health?.host = hostHeader }
            return health
        }
        /// It runs PHP's own FastCGI server, which serves one request at a time.
        package var runsPHPCGI: Bool {
            guard case .command(let words) = launch?.application, let program = words.first else {
                return false
            }
            return program.split(separator: "/").last?.hasPrefix("php-cgi") ?? false
        }
        /// External servers; empty for a group that starts processes.
        package var servers: [ServerEndpoint] {
            if case .external(let servers) = policy.kind { servers } else { [] }
        }
    }

    /// What the processes of a group run, and how.
    package struct Launch: Equatable, Sendable {
        package var application = Application.command([])
        /// Whether `processes` was given: the application then sees `wsgi.multiprocess` as true,
        /// even with 1 process.
        package var processesGiven = false
        /// The working directory, absolute.
        package var directory: String
        /// Added to the clean base environment.
        package var environment: [String: String] = [:]
        /// Names of variables passed on from Mooring's own environment.
        package var passEnvironment: [String] = []
        package var isolation = Isolation()
        package var onExit = OnExit.adopt
        /// The file for their output, absolute; nil: the log.
        package var outputFile: String?
        /// A process that uses more memory, in bytes, is recycled; 0: no limit.
        package var maxMemory = 0
    }

    /// The program of a group that starts processes.
    package enum Application: Equatable, Sendable {
        /// A Python application, which the host program serves.
        case hosted(HostedApplication)
        /// Program and arguments, with placeholders.
        case command([String])
    }

    /// A Python application: its name, its interface, and what runs it.
    package struct HostedApplication: Equatable, Sendable {
        package var interface: Interface
        /// A file with `application`, or `package.module:name`; relative to the working directory.
        package var name: String
        package var server = Server.auto
        /// The interpreter.
        package var python = "python3"

        package init(_ interface: Interface, _ name: String) {
            self.interface = interface
            self.name = name
        }
    }

    /// How a server calls a Python application.
    package enum Interface: String, Equatable, Sendable {
        case wsgi
        case asgi
    }

    /// The server of a Python application.
    package enum Server: String, Equatable, Sendable, CaseIterable {
        /// The first that is installed of those for the interface.
        case auto
        case granian
        case gunicorn
        case waitress
        /// The standard library's server.
        case wsgiref
        case uvicorn
        case hypercorn

        static func all(of interface: Interface) -> [Server] {
            switch interface {
            case .wsgi: [.auto, .granian, .gunicorn, .waitress, .wsgiref]
            case .asgi: [.auto, .uvicorn, .granian, .hypercorn]
            }
        }
    }

    /// A route: its host and path, its group, and how its sessions are pinned.
    package struct RouteSettings: Equatable, Sendable {
        package var pattern: RoutePattern
        /// The index in `groups`; nil: it leads to `files`.
        package var group: Int?
        /// Nil: it leads to a group.
        package var files: FileFolder?
        /// Whether files are sent compressed to clients that accept that.
        package var compress = false
        package var stripPrefix = false
        package var affinity: Affinity
        package var timeouts: RouteTimeouts
        /// Response fields, added to the listener's or replacing them.
        package var headers: [Field] = []
        /// The group's pages, overridden by its own.
        package var errors: [ErrorFile] = []
    }

    /// A folder of files that a route leads to: an absolute path.
    package struct FileFolder: Equatable, Sendable {
        package var path: String
        package var place = FileLocation()
    }
}

extension Configuration.Group {
    /// A group that is not in the configuration any more, and of which little else is known.
    package init(retired policy: GroupPolicy) {
        self.init(policy: policy, affinity: Configuration.Affinity(), timeouts: RouteTimeouts())
    }
}

package import HTTPWire
package import Reactor
package import Routing
package import SessionAffinity
package import Settings

/// All settings of the data plane.
package struct ProxySettings: Sendable {
    /// A listener keeps its index over a reload; nil: a removed one.
    package var listeners: [ListenerSettings?]
    /// Loop threads; 0: one per core.
    package var workers = 0
    package var timeouts = Timeouts()
    /// `connections` is lowered to what the limit of open files allows.
    package var limits = Limits()
    /// Connections to processes and files on their way to clients, over all loops: the open files
    /// that connections of clients leave.
    package var upstreams = Int.max
    /// Bytes of all buffers together.
    package var bufferMemory = 256 * 1024 * 1024
    package var routes: RouteTable
    /// The settings of each route, in the order of the routes.
    package var routeSettings: [RouteSettings]
    /// In the order of the groups.
    package var groups: [ProxyGroupSettings]
    package var keyring: Keyring
    package var accessLog = AccessLogSettings()
    /// Pages show the last output of a process: the only visitor is its developer.
    package var showsOutput = false
    /// The bound port of the first listener with TLS; 0: there is none.
    var securePort: UInt16 = 0

    /// The size that a block needs: a head, and the fields that are added to it.
    var blockSize: Int {
        let ofListeners = listeners.map { $0?.headers.length ?? 0 }.max() ?? 0
        let ofRoutes = routeSettings.map(\.headers.length).max() ?? 0
        return max(16 * 1024, limits.requestHead) + 4096 + ofListeners + ofRoutes
    }

    /// The group that a route leads to; nil: it leads to files.
    func group(of route: RouteSettings) -> ProxyGroupSettings? {
        route.group < 0 ? nil : groups[route.group]
    }

    /// The groups' names in UTF-8, in their order.
    var groupNames: [[UInt8]] { groups.map { Array($0.name.utf8) } }

    /// Records the port that clients are redirected to for https.
    mutating func noteSecurePort(_ sockets: [ListeningSocket?]) {
        securePort = 0
        for (listener, socket) in zip(listeners, sockets) where listener?.tls != nil {
            guard let socket, !socket.address.isUnix else { continue }
            securePort = UInt16(truncatingIfNeeded: socket.address.port)
            return
        }
    }

    package init(
        listeners: [ListenerSettings?], routes: RouteTable, routeSettings: [RouteSettings],
        groups: [ProxyGroupSettings], keyring: Keyring
    ) {
        self.listeners = listeners
        self.routes = routes
        self.routeSettings = routeSettings
        self.groups = groups
        self.keyring = keyring
    }
}

/// Buffer sizes derived from the limits.
extension Limits {
    /// The most blocks in all chains of one loop.
    func links(blockSize: Int) -> Int {
        let request = min(requestBuffer / blockSize, 1 << 20) + 1
        let response = min(responseBuffer / blockSize, 1 << 20) + 1
        return min(connections * (request + response), 1 << 22)
    }
}

/// A route's destination, and how its sessions are pinned.
package struct RouteSettings: Sendable {
    /// -1: files.
    package var group: Int
    /// Nil: a group.
    package var files: FileRouteSettings?
    /// The prefix removed from the path before it is forwarded (`strip_prefix`), or before a file
    /// is looked for; decoded; empty: none.
    package var strippedPrefix: String
    package var affinity: AffinitySettings
    package var timeouts = RouteTimeouts()
    /// Response fields, added to the listener's or replacing them.
    package var headers = ExtraFields()
    /// Pages that replace Mooring's own, as HTML, by status.
    package var pages: [UInt16: [UInt8]] = [:]

    package init(group: Int, strippedPrefix: String, affinity: AffinitySettings) {
        self.group = group
        self.strippedPrefix = strippedPrefix
        self.affinity = affinity
    }
}

/// A folder of files that a route leads to.
package struct FileRouteSettings: Sendable {
    package var folder: ServedFolder
    /// Where it is, for the log.
    package var path: String
    /// Whether a file may be sent in a coding that the client accepts.
    package var compress = false

    package init(_ folder: ServedFolder, path: String) {
        self.folder = folder
        self.path = path
    }
}

/// When a session is pinned, and what carries it.
package struct AffinitySettings: Sendable {
    package var pin = Pin.always
    /// Application cookies that start a session when set (`pin = "app"`).
    package var learn: [String] = []
    package var carrier = SessionCarrier.cookie
    /// The field in which trusted proxies name the user; empty: none.
    package var userField = ""
    package var cookie: CookieAttributes
    package var maxAgeSeconds: UInt32 = 24 * 3600
    /// Whether the backend sees the cookie.
    package var forwardCookie = false

    package init(cookie: CookieAttributes) { self.cookie = cookie }
}

/// The data plane's settings of a group.
package struct ProxyGroupSettings: Sendable {
    package var name: String
    /// Retries of a request, where a retry is safe.
    package var retries = 1
    /// Whether idle connections to its processes are kept.
    package var keepalive = true
    /// Sent as `Host` instead of the client's; empty: the client's.
    package var hostHeader = ""
    /// The longest time from a slot to the end of the response; nil: no limit.
    package var requestTimeout: Interval?
    /// Whether closing the connection tells its processes that a client has left.
    ///
    /// Not with WSGI, which has no such notification: its servers close the connection and continue
    /// to work.
    package var noticesClosing = true
    /// The path of health checks, without a query, whose senders need no session; empty: none.
    package var healthPath = ""
    /// Its server may refuse targets that do not quite follow RFC 3986, as browsers send them, and
    /// lose what is above ASCII.
    package var takesASCIIOnly = false
    /// Its processes are spoken to in FastCGI; nil: in HTTP.
    package var fastCGI: FastCGIPolicy?
    /// Mooring started its processes, so a slow one is known to be alive.
    package var isSpawned = true
    /// External servers with TLS.
    package var secureServers: [ProcessAddress: SecureServer] = [:]
    /// The user that must listen on its processes' sockets; nil: any.
    ///
    /// For processes of a user other than Mooring's: see `Dialer.isOfItsUser`.
    package var socketUser: UInt32?
    /// The user that must own its processes' TCP ports; nil: any (external servers).
    package var portUser: UInt32?

    package init(name: String) { self.name = name }
}

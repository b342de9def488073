package import HTTPWire
package import Reactor
package import Routing
package import SessionAffinity
package import Settings

/// Everything that the data plane is told at its start.
package struct ProxySettings: Sendable {
    /// A listener keeps its index over a reload; nil: one that was taken away.
    package var listeners: [ListenerSettings?]
    /// Loop threads; 0: one per core.
    package var workers = 0
    package var timeouts = Timeouts()
    /// `connections` is what the limit of open files leaves of it.
    package var limits = Limits()
    /// Connections to processes, over all loops: what clients leave of the limit of open files.
    package var upstreams = Int.max
    /// Bytes of all buffers together.
    package var bufferMemory = 256 * 1024 * 1024
    package var routes: RouteTable
    /// What goes with each route, in the order of the routes.
    package var routeSettings: [RouteSettings]
    /// In the order of the groups.
    package var groups: [ProxyGroupSettings]
    package var keyring: Keyring
    package var accessLog = AccessLogSettings()
    /// Pages show what a process wrote last: its developer is the only visitor.
    package var showsOutput = false
    /// The port of the first listener with TLS, as it is bound; 0: there is none.
    var securePort: UInt16 = 0

    /// The room that a block needs: a head, and the fields that are added to it.
    var blockSize: Int {
        let ofListeners = listeners.map { $0?.headers.length ?? 0 }.max() ?? 0
        let ofRoutes = routeSettings.map(\.headers.length).max() ?? 0
        return max(16 * 1024, limits.requestHead) + 4096 + ofListeners + ofRoutes
    }

    /// The groups' names in UTF-8, in their order.
    var groupNames: [[UInt8]] { groups.map { Array($0.name.utf8) } }

    /// Notes where clients are sent that are to come over TLS.
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

/// What the limits mean for buffers.
extension Limits {
    /// The most blocks that may wait in chains at the same time, in one loop.
    func links(blockSize: Int) -> Int {
        let request = min(requestBuffer / blockSize, 1 << 20) + 1
        let response = min(responseBuffer / blockSize, 1 << 20) + 1
        return min(connections * (request + response), 1 << 22)
    }
}

/// Where a route leads and how its sessions are held.
package struct RouteSettings: Sendable {
    package var group: Int
    /// What is taken off the path before it is forwarded (`strip_prefix`), decoded; empty: nothing.
    package var strippedPrefix: String
    package var affinity: AffinitySettings
    package var timeouts = RouteTimeouts()
    /// Added to responses, over those of the listener.
    package var headers = ExtraFields()
    /// Pages in place of Mooring's own, as HTML, by status.
    package var pages: [UInt16: [UInt8]] = [:]

    package init(group: Int, strippedPrefix: String, affinity: AffinitySettings) {
        self.group = group
        self.strippedPrefix = strippedPrefix
        self.affinity = affinity
    }
}

/// When and with which cookie a session is pinned.
package struct AffinitySettings: Sendable {
    package var pin = Pin.always
    /// Application cookies whose setting starts a session (`pin = "app"`).
    package var learn: [String] = []
    package var cookie: CookieAttributes
    package var maxAgeSeconds: UInt32 = 24 * 3600
    /// Whether the backend sees the cookie.
    package var forwardCookie = false

    package init(cookie: CookieAttributes) { self.cookie = cookie }
}

/// What the data plane knows of a group beyond its registry.
package struct ProxyGroupSettings: Sendable {
    package var name: String
    /// How often a request is tried again where that is allowed.
    package var retries = 1
    /// Whether idle connections to its processes are kept.
    package var keepalive = true

    /// The longest time from a slot to the end of the response; nil: no limit.
    package var requestTimeout: Interval?
    /// The end of our side of a connection tells its processes that a client has left.
    ///
    /// Not so with WSGI, which has no word for it: its servers close the connection and work on.
    package var hearsOfEnds = true
    /// Where its processes say whether they are well, without a query: who asks there needs no session;
    /// empty: nowhere.
    package var healthPath = ""
    /// Its server may refuse targets that are not quite of RFC 3986, as browsers send them, and lose what
    /// is above ASCII.
    package var takesASCIIOnly = false
    /// Mooring started its processes, so a slow one is known to live.
    package var isSpawned = true
    /// External servers that are spoken to over TLS.
    package var secureServers: [ProcessAddress: SecureServer] = [:]
    /// The user that must be listening on its processes' sockets; nil: whoever does.
    ///
    /// For processes of another user than Mooring's: see `Dialer.isOfItsUser`.
    package var socketUser: UInt32?
    /// The user that its processes' TCP ports must belong to; nil: whoever's (external servers).
    package var portUser: UInt32?

    package init(name: String) { self.name = name }
}

/// How an external server is spoken to over TLS.
package struct SecureServer: Sendable {
    package var context: TLSClientContext
    /// Sent as SNI, and what the server's certificate has to name.
    package var name: String

    package init(context: TLSClientContext, name: String) {
        self.context = context
        self.name = name
    }
}

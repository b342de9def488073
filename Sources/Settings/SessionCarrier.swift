/// What carries a session between a client and Mooring (`affinity.carrier`).
package enum SessionCarrier: Equatable, Sendable {
    /// Mooring's own cookie.
    case cookie
    /// The application's own session field: the token stands behind its value.
    case header(String)
    /// A parameter of the query that holds an id of the application.
    case query(String)
    /// A segment of the path that holds one, counted from 1.
    case path(Int)

    /// As written in the configuration.
    package var text: String {
        switch self {
        case .cookie: "cookie"
        case .header(let name): "header:\(name)"
        case .query(let name): "query:\(name)"
        case .path(let number): "path:\(number)"
        }
    }
}

/// What carries a session between a client and Mooring (`affinity.carrier`).
package enum SessionCarrier: Equatable, Sendable {
    /// Mooring's own cookie.
    case cookie
    /// The application's own session field: the token stands behind its value.
    case header(String)

    /// As written in the configuration.
    package var text: String {
        switch self {
        case .cookie: "cookie"
        case .header(let name): "header:\(name)"
        }
    }
}

/// The version of this program, shown by `--version` and the admin API.
package enum Version {
    package static let current = "0.1.0"
}

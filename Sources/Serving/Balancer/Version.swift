/// The version of this program, as `--version` and the admin API tell it.
package enum Version {
    package static let current = "0.1.0"
}

// The person's own folder, and paths that begin with a tilde.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Where a person's files lie: what `HOME` says, as every shell has it, else what the account says.
/// (Foundation looks at the account alone.)
public enum HomeFolder {
    /// The folder, without a slash at its end.
    public static func path(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> String {
        guard let home = environment["HOME"], home.hasPrefix("/") else { return NSHomeDirectory() }
        return home.count > 1 && home.hasSuffix("/") ? String(home.dropLast()) : home
    }

    /// A path with `~` or `~/` at its beginning replaced; `~name` is another account's folder.
    public static func expandingTilde(
        _ path: String, environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> String {
        if path == "~" { return self.path(environment: environment) }
        if path.hasPrefix("~/") { return self.path(environment: environment) + path.dropFirst() }
        return (path as NSString).expandingTildeInPath
    }
}

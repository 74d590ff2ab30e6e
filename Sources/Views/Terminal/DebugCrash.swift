// Ends the process in a certain way, to show that the terminal survives it.
// SPDX-License-Identifier: Apache-2.0
import CTerm

/// The kinds of a hidden `--debug-crash KIND`.
public enum DebugCrash: String, CaseIterable, Sendable {
    case segv, bus, abort, trap, fpe, sys, stack, thread, exit
    case index, overflow, fatal

    /// Ends the process.
    public func perform() {
        switch self {
        case .index:
            let empty: [Int] = []
            _ = empty[CommandLine.arguments.count]
        // A sum that nobody looks at is not computed in a release build.
        case .overflow: cterm_die_of(Int32(Int8(CommandLine.arguments.count) + Int8.max))
        case .fatal: fatalError("asked for by --debug-crash")
        default: cterm_crash(rawValue)
        }
    }
}

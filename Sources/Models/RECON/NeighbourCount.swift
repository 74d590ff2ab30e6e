// How many neighbours a bank can spare, and what to say when they are few.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// k for banks of any size.
///
/// The classes of a user's folder are not known, but a neighbourhood that is a large share of all
/// inputs holds several of them, and their poses together look like a full rotation. So k is at most
/// a twelfth of the inputs, and at least 5.
enum NeighbourCount {
    private static let share = 12
    private static let least = 5

    /// - Parameter standard: the k that the model was made for.
    static func standard(_ standard: Int, among count: Int) -> Int {
        max(1, min(standard, max(least, count / share), count - 1))
    }

    /// What a person should know about a level from so few neighbours; nil where k is the standard.
    ///
    /// The mean |pose| of k draws from U(±a) is uncertain by a share of 1/√(3k), and so is the level.
    static func notice(_ k: Int, of standard: Int, among count: Int) -> String? {
        guard k < standard else { return nil }
        let uncertainty = Int((100 / (3 * Double(k)).squareRoot()).rounded())
        if k <= least {
            return "\(count) inputs are too few to tell a symmetry from chance: with k = \(k) a "
                + "level is uncertain by \(uncertainty) % or more; give 100 or more of every kind."
        }
        return
            "\(count) inputs are few: k is \(k) instead of \(standard), and a level is uncertain "
            + "by about \(uncertainty) %."
    }
}

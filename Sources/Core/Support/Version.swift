// The version of the program.
// SPDX-License-Identifier: Apache-2.0

/// The version, by semantic versioning.
public enum Version {
    /// The version of this source tree.
    public static let current = "0.1.0"
    /// The format of model cards that is read and written.
    public static let cardFormat = 1
}

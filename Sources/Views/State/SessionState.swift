// When the session was last written.
// SPDX-License-Identifier: Apache-2.0

nonisolated struct SessionState: Sendable, Equatable {
    /// Whether another program holds the session file, or none is kept.
    var isReadOnly = true
    /// Whether the gallery could not be written the last time.
    var hasLostGallery = false
    /// Since when something has changed that is not written.
    var dirtySince: Double?
    /// A session left behind by a program that did not end properly.
    var recovered: SessionSnapshot?

    /// Jobs of the last start whose model is not in memory yet.
    var waiting: [StoredRun] = []

    /// Seconds between a change and its writing.
    static let delay = 5.0
}

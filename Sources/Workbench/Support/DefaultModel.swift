// The model that is meant where none is named. SPDX-License-Identifier: Apache-2.0

/// What the application opens and commands use where nothing else is asked for.
enum DefaultModel {
    static let name = "hmar-objects"
}

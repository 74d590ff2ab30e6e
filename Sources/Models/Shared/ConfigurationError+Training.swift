// Checks that every training makes before it starts. SPDX-License-Identifier: Apache-2.0
import Core

extension ConfigurationError {
    /// Refuses a batch of no examples or of more than 4,096.
    static func requireBatch(_ batch: Int) throws(ConfigurationError) {
        try require(batch > 0 && batch <= 4096, "batch_size", "\(batch)", "1 to 4096")
    }

    /// Refuses a batch that the processes cannot share evenly: the mean of their gradients would not be
    /// that of the batch.
    static func requireShares(
        of batch: Int, _ parallel: DataParallel
    ) throws(ConfigurationError) {
        let size = parallel.rank.size
        try require(
            batch % size == 0, "batch_size", "\(batch)", "a multiple of the \(size) processes")
    }

    /// Refuses figures read less than never.
    static func requireMeasureInterval(_ interval: Int) throws(ConfigurationError) {
        try require(interval > 0, "measure_every", "\(interval)", "1 or more")
    }

    /// Refuses a share of dropped labels outside [0, 1).
    static func requireLabelDropout(_ share: Double) throws(ConfigurationError) {
        try require(share >= 0 && share < 1, "label_dropout", "\(share)", "0 to below 1")
    }

    /// Refuses an empty data set, or one whose first picture is not side×side pixels.
    ///
    /// - Throws: ``ConfigurationError``; errors of the picture.
    static func requirePictures(_ images: any Dataset, side: Int) throws {
        try require(images.count > 0, "the number of pictures", "0", "1 or more")
        let first = try images.image(at: 0)
        guard first.width == side, first.height == side else {
            throw imageSizeMismatch(found: first.width, expected: side)
        }
    }
}

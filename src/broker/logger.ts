export { LOG_LEVELS, type Logger, type LogLevel, leveled, levelNumber, SILENT } from '../daemon/logger.js';
